#include "server/relay/relay_link.h"

#include <catch2/catch.hpp>
#include <deque>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

constexpr std::string_view kZeros = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view kOne = "11111111-1111-4111-8111-111111111111";
constexpr std::string_view kTwo = "22222222-2222-4222-8222-222222222222";
constexpr std::string_view kSelf = "99999999-1111-4111-8111-111111111111";
constexpr std::string_view kCid = "cccccccc-1111-4111-8111-111111111111";

/// A copy that notes what it is told, and ends nothing before finish().
class FakeCopy final : public RelayCopy {
 public:
  void take_contents(const SchemaRef&, std::vector<RowUpdate> rows, const Uuid& id,
                     Done done) override {
    note("contents", rows.size(), id, std::move(done));
  }
  void apply(const SchemaRef&, std::vector<RowUpdate> updates, const Uuid& id, Done done) override {
    note("apply", updates.size(), id, std::move(done));
  }
  void set_path(std::vector<Uuid> path, bool read_only) override {
    if (path.empty()) return static_cast<void>(read_only && ++paths_lost);
    log += "path:" + std::to_string(path.size()) + (read_only ? ":read-only " : " ");
  }
  void set_connected(bool connected) override { log += connected ? "connected " : "lost "; }

  void finish(const Result<void>& outcome = {}) {
    Done done = std::move(outcomes.front());
    outcomes.pop_front();
    done(outcome);
  }
  std::string take_log() { return std::exchange(log, ""); }
  int paths_lost = 0;

 private:
  void note(std::string_view what, std::size_t rows, const Uuid& id, Done done) {
    log += std::string(what) + ':' + std::to_string(rows) + ':' + id.to_string().substr(0, 2) + ' ';
    outcomes.push_back(std::move(done));
  }
  std::string log;
  std::deque<Done> outcomes;
};

class FakePort final : public RelayLinkPort {
 public:
  void send(std::string text) override { sent.push_back(std::move(text)); }
  void restart(const std::string& reason) override { restarts.push_back(reason); }
  std::int64_t monotonic_ms() const override { return now_ms; }
  void changed() override {}
  void current() override { ++times_current; }
  void log_info(const std::string& text) override { logged.push_back(text); }

  std::deque<std::string> sent;
  std::vector<std::string> restarts;
  std::vector<std::string> logged;
  std::int64_t now_ms = 1000;
  int times_current = 0;
};

/// A link to a source that says what the test wants.
struct Source {
  explicit Source(std::size_t sources = 1)
      : link("D", Uuid::parse(kSelf).value(), sources, copy, port) {}

  void say(const std::string& text) {
    link.on_message(JsonRpcMessage::from_json(parse_json(text).value()).value());
  }
  /// The next request: "METHOD PARAMS"; empty if there is none.
  std::string asked() {
    if (port.sent.empty()) return "";
    const JsonDocument document = parse_json(port.sent.front()).value();
    port.sent.pop_front();
    const JsonView message = document.root();
    id = to_text(message.find("id"));
    return std::string(message.find("method").get_string()) + ' ' + to_text(message.find("params"));
  }
  void answer(const std::string& result) {
    say(R"({"id":)" + id + R"(,"error":null,"result":)" + result + '}');
  }
  void refuse(const std::string& error) {
    say(R"({"id":)" + id + R"(,"result":null,"error":)" + error + '}');
  }
  void update(std::string_view uuid, const std::string& updates) {
    say(R"({"id":null,"method":"update3","params":[["monid","D"],")" + std::string(uuid) + R"(",)" +
        updates + "]}");
  }
  static std::string row(const std::string& columns) {
    return R"({"Database":{"00000000-0000-4000-8000-000000000001":{"initial":{"name":"D")" +
           columns + "}}}}";
  }
  static std::string modified(const std::string& columns) {
    return R"({"id":null,"method":"update2","params":[["monid","_Server"],{"Database":)"
           R"({"00000000-0000-4000-8000-000000000001":{"modify":{)" +
           columns + "}}}}]}";
  }
  static std::string schema(const std::string& version = "1.0.0") {
    return R"({\"name\":\"D\",\"version\":\")" + version +
           R"(\",\"tables\":{\"T\":{\"columns\":{\"n\":{\"type\":\"integer\"}}}}})";
  }
  static std::string served() {
    return row(R"(,"model":"standalone","connected":true,"leader":true,"schema":")" + schema() +
               '"');
  }
  static std::string clustered(bool leader, int index = 5) {
    return row(R"(,"model":"clustered","connected":true,"leader":)" +
               std::string(leader ? "true" : "false") + R"(,"index":)" + std::to_string(index) +
               R"(,"cid":["uuid",")" + std::string(kCid) + R"("],"schema":")" + schema() + '"');
  }
  static std::string inserts(int first, int count) {
    std::string text = R"({"T":{)";
    for (int i = first; i < first + count; ++i) {
      if (i > first) text += ',';
      text +=
          "\"00000000-0000-4000-8000-0000000000" + std::to_string(i) + R"(":{"insert":{"n":1}})";
    }
    return text + "}}";
  }
  /// Up to what it says of its databases.
  void introduce(const std::string& rows) {
    link.on_connected("unix:source");
    REQUIRE(asked() == R"(get_schema ["_Server"])");
    answer("{}");
    REQUIRE(
        asked() ==
        R"(monitor_cond ["_Server",["monid","_Server"],{"Database":[{"columns":["name","model",)"
        R"("connected","leader","schema","cid","index"]}]}])");
    answer(rows);
  }
  void expect_contents_asked(std::string_view since) {
    REQUIRE(asked() ==
            R"(monitor_cond_since ["D",["monid","D"],{"T":[{}]},")" + std::string(since) + R"("])");
    const std::string contents = id;
    REQUIRE(asked() == "set_db_change_aware [true]");
    REQUIRE(asked() == R"(tandem_path ["D"])");
    path_id = id;
    id = contents;
  }
  void tell_path(const std::string& path) {
    id = path_id;
    answer(path);
  }
  void become_current(std::string_view uuid) {
    introduce(served());
    expect_contents_asked(kZeros);
    answer(R"([false,")" + std::string(uuid) + R"(",)" + inserts(10, 2) + ']');
    REQUIRE(copy.take_log() == "contents:2:" + std::string(uuid).substr(0, 2) + ' ');
    copy.finish();
    REQUIRE(copy.take_log() == "connected ");
  }
  FollowerStatus::State state() const { return link.status().state; }

  FakeCopy copy;
  FakePort port;
  RelayLink link;
  std::string id;
  std::string path_id;
};

using State = FollowerStatus::State;

}  // namespace

TEST_CASE("A relay asks as ovsdb-server's relays do, and is current with the contents") {
  Source source;
  source.become_current(kOne);
  CHECK(source.state() == State::kReplicating);
  CHECK(source.port.times_current == 0);
  source.tell_path("[\"" + std::string(kTwo) + "\"]");
  CHECK(source.copy.take_log() == "path:1 ");
  CHECK(source.port.times_current == 1);
  source.update(kTwo, Source::inserts(20, 1));
  CHECK(source.copy.take_log() == "apply:1:22 ");
  source.copy.finish();
  CHECK(source.link.status().commits == 1);
}

TEST_CASE("Updates that come while the contents are being applied wait for them") {
  Source source;
  source.introduce(Source::served());
  source.expect_contents_asked(kZeros);
  source.answer(R"([false,")" + std::string(kOne) + R"(",{}])");
  source.update(kTwo, Source::inserts(20, 1));
  CHECK(source.copy.take_log() == "contents:0:11 ");
  CHECK(source.port.times_current == 0);
  source.copy.finish();
  CHECK(source.copy.take_log() == "apply:1:22 connected ");
  source.id = source.path_id;
  source.refuse("\"unknown method\"");
  CHECK(source.port.times_current == 1);
}

TEST_CASE("The next connection goes on from the last id") {
  Source source;
  source.become_current(kOne);
  source.update(kTwo, Source::inserts(20, 1));
  source.copy.finish();
  source.copy.take_log();
  source.link.on_disconnected("gone");
  CHECK(source.state() == State::kConnecting);
  source.introduce(Source::served());
  source.expect_contents_asked(kTwo);
  source.answer(R"([true,")" + std::string(kTwo) + R"(",{}])");
  CHECK(source.copy.take_log().empty());  // nothing is new, and clients were never told of a loss
  CHECK(source.state() == State::kReplicating);
  CHECK(source.link.status().resumes == 1);
}

TEST_CASE("An id that the source does not know is followed by all contents") {
  Source source;
  source.become_current(kOne);
  source.link.on_disconnected("gone");
  source.introduce(Source::served());
  source.expect_contents_asked(kOne);
  source.answer(R"([false,")" + std::string(kTwo) + R"(",)" + Source::inserts(10, 3) + ']');
  CHECK(source.copy.take_log() == "contents:3:22 ");
}

TEST_CASE("A source that knows no ids is asked by monitor_cond") {
  Source source;
  source.introduce(Source::served());
  source.expect_contents_asked(kZeros);
  source.refuse("\"unknown method\"");
  CHECK(source.asked() == R"(monitor_cond ["D",["monid","D"],{"T":[{}]}])");
  source.answer(Source::inserts(10, 1));
  CHECK(source.copy.take_log() == "contents:1:00 ");
  source.copy.finish();
  source.say(R"({"id":null,"method":"update2","params":[["monid","D"],)" + Source::inserts(20, 1) +
             "]}");
  CHECK(source.copy.take_log() == "connected apply:1:00 ");
}

TEST_CASE("The only source is waited for until it has the database") {
  Source source;
  source.introduce("{}");
  CHECK(source.state() == State::kRefused);
  CHECK(source.link.status().error == "the source does not serve this database");
  source.say(
      R"({"id":null,"method":"update2","params":[["monid","_Server"],{"Database":)"
      R"({"00000000-0000-4000-8000-000000000001":{"insert":{"name":"D","model":"relay"}}}}]})");
  CHECK(source.link.status().error == "the source has not got this database yet");
  source.say(Source::modified(R"("schema":")" + Source::schema() + '"'));
  CHECK(source.link.status().error == "the source is not connected to others that it depends on");
  CHECK(source.port.restarts.empty());
  source.say(Source::modified(R"("connected":true)"));
  source.expect_contents_asked(kZeros);
}

TEST_CASE("Of several sources the next one is tried when one does not do") {
  Source source(2);
  source.introduce("{}");
  CHECK(source.port.restarts.size() == 1);
  source.link.on_disconnected("");
  source.introduce(Source::served());
  source.expect_contents_asked(kZeros);
  source.answer(R"([false,")" + std::string(kOne) + R"(",{}])");
  source.copy.finish();
  CHECK(source.state() == State::kReplicating);
  source.say(Source::modified(R"("connected":false)"));
  CHECK(source.port.restarts.size() == 2);
  source.update(kTwo, Source::inserts(10, 1));  // on its way already
  CHECK(source.copy.take_log() == "contents:0:11 connected ");
}

TEST_CASE("Of a cluster the leader is looked for, but not for ever") {
  Source source(2);
  for (int i = 0; i < 3; ++i) {
    source.introduce(Source::clustered(false));
    CHECK(source.state() == State::kRefused);
    source.link.on_disconnected("");
    source.port.now_ms += 1000;
  }
  source.port.now_ms += 5000;
  source.introduce(Source::clustered(false));
  source.expect_contents_asked(kZeros);
  source.answer(R"([false,")" + std::string(kOne) + R"(",{}])");
  source.copy.finish();
  CHECK(source.state() == State::kReplicating);
  source.port.now_ms += 40'000;
  source.link.tick();
  CHECK(source.port.restarts.back() == "the source is not the leader");
}

TEST_CASE("A source that is behind what was seen of its cluster is not followed") {
  Source source;
  source.introduce(Source::clustered(true, 7));
  source.expect_contents_asked(kZeros);
  source.link.on_disconnected("");
  source.introduce(Source::clustered(true, 6));
  CHECK(source.link.status().error == "the source is behind what another one has shown");
  source.say(Source::modified(R"("index":7)"));
  source.expect_contents_asked(kZeros);
}

TEST_CASE("A leader that is behind is followed when for long there is no other") {
  Source source(2);
  source.introduce(Source::clustered(true, 7));
  source.expect_contents_asked(kZeros);
  source.link.on_disconnected("");
  source.introduce(Source::clustered(true, 6));
  CHECK(source.state() == State::kRefused);
  source.link.on_disconnected("");
  source.port.now_ms += 29'000;
  source.link.tick();
  source.introduce(Source::clustered(true, 6));
  CHECK(source.state() == State::kRefused);
  source.link.on_disconnected("");
  source.port.now_ms += 1000;
  source.link.tick();
  source.introduce(Source::clustered(true, 6));
  source.expect_contents_asked(kZeros);
}

TEST_CASE("An only leader that is behind is followed without a new connection") {
  Source source;
  source.introduce(Source::clustered(true, 7));
  source.expect_contents_asked(kZeros);
  source.link.on_disconnected("");
  source.introduce(Source::clustered(true, 6));
  CHECK(source.state() == State::kRefused);
  source.port.now_ms += 30'000;
  source.link.tick();
  source.expect_contents_asked(kZeros);
}

TEST_CASE("What cannot be applied is followed by a connection that asks for all contents") {
  Source source;
  source.become_current(kOne);
  source.update(kTwo, Source::inserts(20, 1));
  source.copy.finish(Error{"consistency violation", "insertion of existing row", std::nullopt});
  CHECK(source.state() == State::kRefused);
  CHECK(source.port.restarts.size() == 1);
  source.link.on_disconnected("");
  source.introduce(Source::served());
  source.expect_contents_asked(kZeros);
  source.answer(R"([false,")" + std::string(kTwo) + R"(",{}])");
  source.copy.take_log();
  source.copy.finish(Error{"", "again", std::nullopt});
  CHECK(source.port.restarts.size() == 1);  // the second time in a row it waits for a while
  source.port.now_ms += 1000;
  source.link.tick();
  CHECK(source.port.restarts.size() == 2);
}

TEST_CASE("A source that makes no sense is left") {
  const auto gives = [](const std::string& contents) {
    Source source;
    source.introduce(Source::served());
    source.expect_contents_asked(kZeros);
    source.answer(contents);
    return source.state() == State::kRefused && source.port.restarts.size() == 1;
  };
  CHECK(gives("[]"));
  CHECK(gives("{}"));
  CHECK(gives(R"([false,"no id",{}])"));
  CHECK(gives(R"([true,")" + std::string(kOne) + R"(",{}])"));  // it was not asked for one
  CHECK(gives(R"([false,")" + std::string(kOne) + R"(",{"U":{}}])"));
  CHECK(gives(R"([false,")" + std::string(kOne) + R"(",{"T":{"x":{"insert":{}}}}])"));
  Source source;
  source.become_current(kOne);
  source.say(R"({"id":17,"error":null,"result":{}})");
  CHECK(source.port.restarts.size() == 1);
}

TEST_CASE("A database that was converted is taken over anew") {
  Source source;
  source.become_current(kOne);
  source.say(R"({"id":null,"method":"monitor_canceled","params":[["monid","D"]]})");
  CHECK(source.asked() == R"(get_schema ["D"])");
  source.answer(
      R"({"name":"D","version":"2.0.0","tables":{"V":{"columns":{"m":{"type":"integer"}}}}})");
  CHECK(source.asked() ==
        R"(monitor_cond_since ["D",["monid","D"],{"V":[{}]},")" + std::string(kZeros) + R"("])");
  source.answer(R"([false,")" + std::string(kTwo) + R"(",{}])");
  CHECK(source.copy.take_log() == "contents:0:22 ");
}

TEST_CASE("A source that has it all from this server is none") {
  for (const std::size_t sources : {std::size_t{1}, std::size_t{2}}) {
    Source source(sources);
    source.become_current(kOne);
    source.tell_path("[\"" + std::string(kOne) + "\",\"" + std::string(kSelf) + "\"]");
    CHECK(source.port.restarts.size() == 1);
    CHECK(source.port.times_current == 0);
    CHECK(source.link.status().error.find("circle") != std::string::npos);
  }
}

TEST_CASE("A source that takes no writes is told of") {
  Source source;
  source.become_current(kOne);
  source.tell_path("[\"" + std::string(kTwo) + R"(","read-only"])");
  CHECK(source.copy.take_log() == "path:1:read-only ");
  CHECK(source.link.status().source_is_read_only);
  source.port.now_ms += 1000;
  source.link.tick();
  REQUIRE(source.asked() == R"(tandem_path ["D"])");
  source.answer("[\"" + std::string(kTwo) + "\"]");
  CHECK(source.copy.take_log() == "path:1 ");
  CHECK_FALSE(source.link.status().source_is_read_only);
}

TEST_CASE("What a relay says of the loss of its own source is passed on at once") {
  Source source;
  source.introduce(Source::row(R"(,"model":"relay","connected":true,"leader":false,"schema":")" +
                               Source::schema() + '"'));
  source.expect_contents_asked(kZeros);
  source.answer(R"([false,")" + std::string(kOne) + R"(",{}])");
  source.copy.finish();
  source.copy.take_log();
  source.say(Source::modified(R"("connected":false)"));
  CHECK(source.copy.take_log() == "lost ");
  source.say(Source::modified(R"("connected":true)"));
  CHECK(source.copy.take_log() == "connected ");
}

TEST_CASE("Clients are told of a loss that lasts") {
  Source source;
  source.become_current(kOne);
  source.link.on_disconnected("gone");
  source.port.now_ms += 9000;
  source.link.tick();
  CHECK(source.copy.take_log().empty());
  CHECK(source.copy.paths_lost == 1);  // where writes go now nobody knows
  source.port.now_ms += 2000;
  source.link.tick();
  source.link.tick();
  CHECK(source.copy.take_log() == "lost ");
  source.introduce(Source::served());
  source.expect_contents_asked(kOne);
  source.answer(R"([true,")" + std::string(kOne) + R"(",{}])");
  CHECK(source.copy.take_log() == "connected ");
}

}  // namespace tandem
