#include "server/session/initial_answer.h"

#include <random>
#include <set>

#include "protocol/json/json_reader.h"
#include "server/session/monitor_hub.h"
#include "tests/unit/server/database/engine.h"
#include "tests/unit/server/session/fake_connection.h"

namespace tandem {
namespace {

constexpr std::string_view kSchema = R"({"name":"T","version":"1.0.0","tables":{
  "t":{"isRoot":true,"columns":{
    "n":{"type":"integer"},
    "tags":{"type":{"key":"integer","min":0,"max":"unlimited"}}}}}})";

constexpr MonitorNumber kMonitor{1};

struct Fixture {
  Engine engine{kSchema};
  DatabaseInfoRef info =
      std::make_shared<const DatabaseInfo>(DatabaseInfo{"T", 1, engine.database.schema()});
  MonitorHub hub;
  FakeShard shard;
  FakeConnection port{shard};
  MonitorRequest asked;        ///< for last
  std::set<std::string> rows;  ///< that the client knows

  MonitorStart start() const { return {info, engine.database.snapshot(), {}, std::nullopt}; }

  /// What the client was sent since the last call: one message, or null.
  JsonDocument received() {
    std::string message;
    for (const std::string& piece : port.take()) message += piece;
    return parse_json(message.empty() ? "null" : message).value();
  }

  void monitor(std::string_view requests) {
    const JsonDocument value = parse_json(requests).value();
    auto request =
        MonitorRequest::from_json(engine.database.schema(), MonitorVersion::kUpdate2, value);
    REQUIRE(request.has_value());
    asked = *request;
    hub.add(port, kMonitor, JsonId::of_string("m"), JsonId(1),
            std::make_shared<const MonitorRequest>(asked), start());
    take(received().root().find("result"));
  }

  void change(std::string_view conditions) {
    const auto changed = asked.with_conditions(parse_json(conditions).value());
    REQUIRE(changed.has_value());
    asked = *changed;
    REQUIRE(hub.change(port, kMonitor, JsonId::of_string("m"),
                       std::make_shared<const MonitorRequest>(asked), start()));
    take_update();
  }

  template <class... Operations>
  void transact(const Operations&... operations) {
    engine.transact(operations...);
    if (engine.outcome.commit == nullptr) return;
    hub.on_commit(*info, *engine.outcome.commit);
    take_update();
  }

  void take_update() {
    const JsonDocument update = received();
    if (!update.root().is_null()) take(update.root().find("params")[1]);
  }

  void take(JsonView updates) {
    for (const auto& [table, changed] : updates.members()) {
      for (const JsonMember& row : changed.members()) {
        const std::string uuid(row.name);
        const std::string_view kind = (*row.value.members().begin()).name;
        INFO(kind << ' ' << uuid);
        if (kind == "initial" || kind == "insert") CHECK(rows.insert(uuid).second);
        if (kind == "delete") CHECK(rows.erase(uuid) == 1);
        if (kind == "modify") CHECK(rows.contains(uuid));
      }
    }
  }

  /// What the client must know: by looking at every row.
  std::set<std::string> expected() const {
    std::set<std::string> matching;
    const MonitoredTable& table = asked.tables[0];
    engine.database.snapshot().tables[table.table].for_each([&](const Row& row) {
      if (table.condition.matches(row)) matching.insert(row.uuid().to_string());
    });
    return matching;
  }
};

std::string insert(int n) {
  return R"({"op":"insert","table":"t","row":{"n":)" + std::to_string(n) + R"(,"tags":["set",[)" +
         std::to_string(n % 3) + "," + std::to_string(n % 5 + 10) + "]]}}";
}

}  // namespace

TEST_CASE("The first answer has all rows, however many chunks they fill") {
  Fixture f;
  for (int i = 0; i < 1000; ++i) f.engine.transact(insert(i));
  f.monitor(R"({"t":[{"columns":["n"]}]})");
  CHECK(f.rows.size() == 1000);
  CHECK(f.rows == f.expected());
}

TEST_CASE("Clients that download at the same time get the same") {
  Fixture f;
  for (int i = 0; i < 1000; ++i) f.engine.transact(insert(i));
  const auto request = MonitorRequest::from_json(
      f.engine.database.schema(), MonitorVersion::kUpdate2, parse_json(R"({"t":[{}]})").value());
  TextLibrary library;
  const auto answer = [&] {
    return InitialAnswer("", std::make_shared<const MonitorRequest>(*request),
                         f.engine.database.snapshot(), {}, "", library, nullptr);
  };
  const auto read = [](InitialAnswer& source, std::size_t pieces) {
    std::string text;
    for (SharedText piece; pieces-- > 0 && (piece = source.next()) != nullptr;) text += *piece;
    return text;
  };
  InitialAnswer alone = answer();
  const std::string all = read(alone, 1000);
  InitialAnswer ahead = answer();
  InitialAnswer behind = answer();
  std::string text_ahead = read(ahead, 7);
  std::string text_behind = read(behind, 3);
  f.engine.transact(R"({"op":"update","table":"t","where":[],"row":{"n":7}})");
  InitialAnswer after = answer();
  const std::string text_after = read(after, 1000);
  CHECK(text_ahead + read(ahead, 1000) == all);
  CHECK(text_behind + read(behind, 1000) == all);
  CHECK(text_after != all);
  InitialAnswer once_more = answer();
  CHECK(read(once_more, 1000) == text_after);
}

TEST_CASE("Changed conditions tell exactly what comes and goes") {
  Fixture f;
  std::mt19937 random(3);
  const auto any = [&](unsigned n) { return std::to_string(random() % n); };
  const auto clause = [&]() -> std::string {
    switch (random() % 5) {
      case 0:
        return R"(["n","==",)" + any(20) + "]";
      case 1:
        return R"(["tags","includes",["set",[)" + any(15) + "]]]";
      case 2:
        return R"(["tags","==",["set",[)" + any(3) + "," + std::to_string(10 + random() % 5) +
               "]]]";
      case 3:
        return R"(["tags","==",["set",[]]])";
      default:
        return random() % 4 == 0 ? R"(["n","<",)" + any(5) + "]" : R"(["n","==",)" + any(9) + "]";
    }
  };
  for (int i = 0; i < 300; ++i) f.engine.transact(insert(i % 20));
  f.monitor(R"({"t":[{"where":[["n","==",1]]}]})");
  CHECK(f.rows == f.expected());
  for (int i = 0; i < 500; ++i) {
    std::string where = random() % 10 == 0 ? "true" : random() % 10 == 0 ? "false" : clause();
    for (unsigned more = random() % 4; more > 0; --more) where += "," + clause();
    f.change(R"({"t":[{"where":[)" + where + "]}]}");
    REQUIRE(f.rows == f.expected());
    switch (random() % 3) {
      case 0:
        f.transact(insert(static_cast<int>(random() % 20)));
        break;
      case 1:
        f.transact(R"({"op":"update","table":"t","where":[["n","==",)" + any(20) +
                   R"(]],"row":{"n":)" + any(20) + "}}");
        break;
      default:
        f.transact(R"({"op":"mutate","table":"t","where":[["n","==",)" + any(20) +
                   R"(]],"mutations":[["tags","delete",)" + any(15) + "]]}");
        break;
    }
    REQUIRE(f.rows == f.expected());
  }
}

}  // namespace tandem
