#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json/json_reader.h"
#include "server/session/monitor_hub.h"
#include "tests/unit/server/database/engine.h"
#include "tests/unit/server/session/fake_connection.h"

namespace tandem::monitor_hub_test {

using Texts = std::vector<std::string>;

/// A database with one table, whose commits go to a hub with two clients.
class Hub {
 public:
  Hub()
      : engine(R"({"name": "D", "tables": {
          "T": {"columns": {"n": {"type": "integer"}, "s": {"type": "string"}}, "isRoot": true}}})"),
        info(std::make_shared<const DatabaseInfo>(DatabaseInfo{"D", 1, engine.database.schema()})) {
  }

  template <class... Operations>
  void transact(const Operations&... operations) {
    engine.transact(operations...);
    if (engine.outcome.commit) hub.on_commit(*info, *engine.outcome.commit);
  }
  void insert(int id, int n, const char* s = "x") {
    transact(R"({"op":"insert","table":"T","uuid":")" + uuid(id) + R"(","row":{"n":)" +
             std::to_string(n) + R"(,"s":")" + s + "\"}}");
  }
  void set(int id, int n) { update(id, R"("n":)" + std::to_string(n)); }
  void update(int id, const std::string& columns) {
    transact(R"({"op":"update","table":"T","where":)" + is(id) + R"(,"row":{)" + columns + "}}");
  }
  void remove(int id) { transact(R"({"op":"delete","table":"T","where":)" + is(id) + "}"); }

  MonitorStart now() const {
    MonitorStart start;
    start.database = info;
    start.snapshot = engine.database.snapshot();
    return start;
  }
  MonitorRequest request(const std::string& text,
                         MonitorVersion version = MonitorVersion::kUpdate2) const {
    auto read = MonitorRequest::from_json(info->schema, version, *parse_json(text));
    INFO((read ? std::string() : read.error().to_string()));
    REQUIRE(read.has_value());
    return *read;
  }
  std::string add(FakeConnection& client, const std::string& requests, const char* id = "m") {
    requested.insert_or_assign(&client, request(requests));
    return first_answer(client, id, requested.at(&client), now());
  }
  /// Starts a monitor and takes its reply.
  std::string first_answer(FakeConnection& client, const char* id, MonitorRequest request,
                           MonitorStart start) {
    numbers[&client] = MonitorNumber{++last_number};
    hub.add(client, numbers[&client], JsonId::of_string(id), JsonId(7),
            std::make_shared<const MonitorRequest>(std::move(request)), std::move(start));
    std::string answer;
    for (const std::string& piece : client.take()) answer += piece;
    return answer;
  }
  void change(FakeConnection& client, const std::string& conditions) {
    MonitorRequest& asked = requested.at(&client);
    const auto changed = asked.with_conditions(*parse_json(conditions));
    REQUIRE(changed.has_value());
    asked = *changed;
    REQUIRE(hub.change(client, numbers.at(&client), JsonId::of_string("m"),
                       std::make_shared<const MonitorRequest>(asked), now()));
  }

  Engine engine;
  DatabaseInfoRef info;
  FakeShard shard;
  FakeConnection client{shard}, other{shard};
  MonitorHub hub;
  std::map<FakeConnection*, MonitorRequest> requested;  ///< what each asked for last
  std::map<FakeConnection*, MonitorNumber> numbers;     ///< of the monitor that each made last
  std::uint64_t last_number = 0;

 private:
  static std::string is(int id) { return R"([["_uuid","==",)" + ref(id) + "]]"; }
};

inline std::string update2(const std::string& rows) {
  return R"({"method":"update2","id":null,"params":["m",{"T":{)" + rows + "}}]}";
}
inline std::string row(int id, const std::string& change) {
  return '"' + uuid(id) + "\":{" + change + '}';
}

}  // namespace tandem::monitor_hub_test
