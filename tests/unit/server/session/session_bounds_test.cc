// What one session may ask for at a time, on a server that holds nothing but "_Server".

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"
#include "server/session/client_hub.h"
#include "server/session/session.h"
#include "tests/support/fake_file_system.h"
#include "tests/unit/server/session/fake_connection.h"

namespace tandem {
namespace {

struct FixedClock final : Clock {
  std::int64_t wall_ms() const override { return 0; }
  std::int64_t monotonic_ms() const override { return 1; }
};

struct NoSyncer final : Syncer {
  void sync(std::shared_ptr<storage::LogFile>, Done done) override { done({}); }
};

constexpr const char* kSelect =
    R"(["_Server",{"op":"select","table":"Database","where":[],"columns":["name"]}])";
/// Waits for good.
constexpr const char* kWait =
    R"(["_Server",{"op":"wait","table":"Database","where":[],"columns":["name"],"until":"==","rows":[]}])";

struct Fixture {
  explicit Fixture(const SessionLimits& limits) : hub(server, shard, shard, {}, limits, counts) {
    server.set_wait_limits({limits.waits, limits.kept_bytes});
    server.submit([] {}, shard);
    shard.run();
    session = hub.make_session(port);
  }
  ~Fixture() { session->on_closed(""); }

  void ask(const std::string& method, const std::string& params) {
    const std::string text = R"({"id":)" + std::to_string(next_id++) + R"(,"method":")" + method +
                             R"(","params":)" + params + "}";
    session->on_message(JsonRpcMessage::from_json(parse_json(text).value()).value());
  }
  /// The answer to one request.
  std::string answer(const std::string& method, const std::string& params) {
    ask(method, params);
    shard.run();
    const auto texts = port.take();
    return texts.empty() ? "" : texts.back();
  }
  bool met(const std::string& text, const std::string& option) const {
    return text.find("resources exhausted") != std::string::npos &&
           text.find("--" + option) != std::string::npos;
  }

  FixedClock clock;
  test::FakeFileSystem files;
  NoSyncer syncer;
  FakeShard shard;
  LimitCountsRef counts = std::make_shared<LimitCounts>();
  DatabaseServer server{{clock, files, syncer, shard, [](std::int64_t) {}}};
  ClientHub hub;
  FakeConnection port{shard};
  std::unique_ptr<ConnectionHandler> session;
  int next_id = 1;
};

TEST_CASE("a session with too many requests under way is not read until some are answered") {
  SessionLimits limits;
  limits.requests = 4;
  Fixture f(limits);
  for (int i = 0; i < 3; ++i) f.ask("transact", kSelect);
  CHECK(f.port.reading);
  f.ask("transact", kSelect);
  CHECK_FALSE(f.port.reading);
  CHECK(f.counts->of(Limit::kRequests).times == 1);
  f.shard.run();
  CHECK(f.port.reading);
  CHECK(f.port.take().size() == 4);
}

TEST_CASE("a schema's text is there once, however often it is asked for") {
  Fixture f(SessionLimits{});
  for (int i = 0; i < 2; ++i) f.ask("get_schema", R"(["_Server"])");
  REQUIRE(f.port.pieces().size() == 6);
  CHECK(f.port.pieces()[1] == f.port.pieces()[4]);
  CHECK(f.port.pieces()[1]->size() > 300);
  const auto answer = JsonRpcMessage::from_json(parse_json(f.port.take().back()).value()).value();
  CHECK(answer.id == JsonId(2));
  CHECK(answer.result.find("name").get_string() == "_Server");
}

TEST_CASE("every request that the writer answers counts, notifications too") {
  SessionLimits limits;
  limits.requests = 1;
  Fixture f(limits);
  const std::string monitor = R"(["_Server","m",{"Database":{}}])";
  for (const auto& [method, params] : std::vector<std::pair<std::string, std::string>>{
           {"monitor", monitor},
           {"monitor_cond_change", R"(["m","m",{}])"},
           {"monitor_cancel", R"(["m"])"},
           {"lock", R"(["l"])"},
           {"unlock", R"(["l"])"},
           {"tandem_ack",
            R"(["x",{"epoch":0,"index":0,"digest":"00000000-0000-0000-0000-000000000000"}])"},
           {"cancel", "[1]"}}) {
    INFO(method);
    if (method == "cancel") {
      f.session->on_message(JsonRpcMessage::from_json(
                                parse_json(R"({"id":null,"method":"cancel","params":[1]})").value())
                                .value());
    } else {
      f.ask(method, params);
    }
    if (method != "tandem_ack") CHECK_FALSE(f.port.reading);
    f.shard.run();
    CHECK(f.port.reading);
  }
}

TEST_CASE("transactions that wait are not under way, but have a limit of their own") {
  SessionLimits limits;
  limits.requests = 2;
  limits.waits = 3;
  Fixture f(limits);
  for (int i = 0; i < 3; ++i) {
    CHECK(f.answer("transact", kWait).empty());
    CHECK(f.port.reading);
  }
  CHECK(f.met(f.answer("transact", kWait), "max-waits=3"));
  CHECK(f.met(f.answer("transact", kWait), "max-waits=3"));
  CHECK(f.counts->of(Limit::kWaits).times == 2);
  CHECK(f.counts->of(Limit::kWaits).connections == 1);
  f.session->on_message(
      JsonRpcMessage::from_json(parse_json(R"({"id":null,"method":"cancel","params":[2]})").value())
          .value());
  f.shard.run();
  CHECK(f.port.take().back().find("canceled") != std::string::npos);
  CHECK(f.answer("transact", kWait).empty());
}

TEST_CASE("a session has so many monitors and clauses, and others when these have gone") {
  SessionLimits limits;
  limits.monitors = 2;
  limits.clauses = 3;
  Fixture f(limits);
  const auto monitor = [&](const std::string& id, const std::string& where) {
    return f.answer("monitor_cond",
                    R"(["_Server",")" + id + R"(",{"Database":{"where":)" + where + "}}]");
  };
  CHECK(f.met(
      monitor("a", R"([["name","==","1"],["name","==","2"],["name","==","3"],["name","==","4"]])"),
      "max-clauses=3"));
  CHECK_FALSE(f.met(monitor("a", R"([["name","==","1"],["name","==","2"]])"), ""));
  CHECK(f.met(monitor("b", R"([["name","==","3"],["name","==","4"]])"), "max-clauses=3"));
  CHECK_FALSE(f.met(monitor("b", R"([["name","==","3"]])"), ""));
  CHECK(f.met(monitor("c", "[false]"), "max-monitors=2"));
  const std::string more =
      R"({"Database":[{"where":[["name","==","1"],["name","==","2"],["name","==","3"]]}]}])";
  CHECK(f.met(f.answer("monitor_cond_change", R"(["a","a",)" + more), "max-clauses=3"));
  f.answer("monitor_cancel", R"(["b"])");
  CHECK_FALSE(f.met(f.answer("monitor_cond_change", R"(["a","a",)" + more), ""));
}

TEST_CASE("a session has so many locks, and others when it has given some back") {
  SessionLimits limits;
  limits.locks = 1;
  Fixture f(limits);
  CHECK_FALSE(f.met(f.answer("lock", R"(["a"])"), ""));
  CHECK(f.met(f.answer("steal", R"(["b"])"), "max-locks=1"));
  f.answer("unlock", R"(["a"])");
  CHECK_FALSE(f.met(f.answer("steal", R"(["b"])"), ""));
}

TEST_CASE(
    "ids of monitors and names of locks have a limit together, and room when they have gone") {
  SessionLimits limits;
  limits.kept_bytes = 100;
  Fixture f(limits);
  const std::string sixty(60, 'x');
  const auto monitor = [&](const std::string& id) {
    return f.answer("monitor", R"(["_Server",")" + id + R"(",{"Database":{}}])");
  };
  const auto lock = [&](const std::string& name) {
    return f.answer("lock", R"([")" + name + R"("])");
  };
  CHECK_FALSE(f.met(monitor(sixty), ""));
  CHECK(f.met(monitor(sixty + "y"), "max-kept=100"));
  CHECK(f.met(lock(sixty), "max-kept=100"));
  CHECK(f.met(
      f.answer("monitor_cond_change", R"([")" + sixty + R"(",")" + sixty + sixty + R"(",{}])"),
      "max-kept=100"));
  CHECK_FALSE(f.met(f.answer("monitor_cond_change", R"([")" + sixty + R"(","short",{}])"), ""));
  CHECK_FALSE(f.met(lock(sixty), ""));
  CHECK(f.met(lock(sixty + "y"), "max-kept=100"));
  f.answer("unlock", R"([")" + sixty + R"("])");
  f.answer("monitor_cancel", R"(["short"])");
  CHECK_FALSE(f.met(lock(sixty + "y"), ""));
  CHECK(f.counts->of(Limit::kKept).times == 4);
}

TEST_CASE("requests that wait have a limit of bytes together, and room when some have gone") {
  SessionLimits limits;
  limits.kept_bytes = 2 * std::string_view(kWait).size() + 2;
  Fixture f(limits);
  CHECK(f.answer("transact", kWait).empty());
  CHECK(f.answer("transact", kWait).empty());
  CHECK(f.met(f.answer("transact", kWait), "max-kept="));
  f.session->on_message(
      JsonRpcMessage::from_json(parse_json(R"({"id":null,"method":"cancel","params":[1]})").value())
          .value());
  f.shard.run();
  CHECK_THAT(f.port.take().back(), Catch::Contains("canceled"));
  CHECK(f.answer("transact", kWait).empty());
}

TEST_CASE("a client that is behind is told of each lock the first and the last, before answers") {
  Fixture f({});
  FakeConnection port{f.shard};
  const auto other = f.hub.make_session(port);
  const auto others = [&](const char* method) {
    other->on_message(
        JsonRpcMessage::from_json(
            parse_json(std::string(R"({"id":1,"params":["l"],"method":")") + method + R"("})")
                .value())
            .value());
    f.shard.run();
  };
  f.answer("lock", R"(["l"])");
  f.port.queued = 1;
  const auto toggle = [&](int times) {
    for (int i = 0; i < times; ++i) {
      others("steal");
      others("unlock");
    }
  };
  toggle(1000);
  others("steal");
  CHECK(f.port.take().empty());
  f.port.queued = 0;
  f.session->on_writable();
  CHECK(f.port.take() ==
        std::vector<std::string>{R"({"method":"stolen","id":null,"params":["l"]})"});
  f.port.queued = 1;
  others("unlock");
  toggle(1000);
  others("steal");
  CHECK(f.port.take().empty());
  f.ask("unlock", R"(["l"])");
  f.shard.run();
  const std::vector<std::string> texts = f.port.take();
  REQUIRE(texts.size() == 3);
  CHECK_THAT(texts[0], Catch::Contains("locked"));
  CHECK_THAT(texts[1], Catch::Contains("stolen"));
  CHECK_THAT(texts[2], Catch::Contains("result"));
  other->on_closed("");
  f.shard.run();
}

}  // namespace
}  // namespace tandem
