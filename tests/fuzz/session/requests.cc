#include "tests/fuzz/session/requests.h"

#include <array>
#include <string_view>
#include <vector>

namespace tandem::fuzz {
namespace {

std::string number(unsigned choice) { return std::to_string(choice % 8); }
std::string text(unsigned choice) {
  return '"' + std::string(1, static_cast<char>('a' + choice % 4)) + '"';
}
std::string where(unsigned choice) {
  if (choice % 8 == 7) return R"("where":[])";
  return R"("where":[["n","==",)" + number(choice) + "]]";
}

std::string wait(unsigned a, unsigned b) {
  static constexpr std::array<std::string_view, 4> timeouts{R"("timeout":0,)", R"("timeout":50,)",
                                                            R"("timeout":700,)", ""};
  return R"({"op":"wait","table":"T",)" + std::string(timeouts[b % 4]) + where(a % 7) +
         R"(,"columns":["n"],"until":")" + (b & 4U ? "==" : "!=") + R"(","rows":[)" +
         (b & 8U ? R"({"n":)" + number(a) + "}" : "") + "]}";
}

std::string operation(unsigned kind, unsigned a, unsigned b) {
  switch (kind % 24) {
    case 0:
    case 1:
    case 2:
      return R"({"op":"insert","table":"T","row":{"n":)" + number(a) + R"(,"tags":["set",[)" +
             text(b) + "]]}}";
    case 3:
      return R"({"op":"update","table":"T",)" + where(a) + R"(,"row":{"n":)" + number(b) + "}}";
    case 4:
      return R"({"op":"update","table":"T",)" + where(a) + R"(,"row":{"s":)" + text(b) + "}}";
    case 5:
      return R"({"op":"mutate","table":"T",)" + where(a) + R"(,"mutations":[["tags",")" +
             (b & 4U ? "insert" : "delete") + R"(",["set",[)" + text(b) + "]]]]}";
    case 6:
      return R"({"op":"mutate","table":"T",)" + where(a) + R"(,"mutations":[["m",")" +
             (b & 4U ? "insert" : "delete") + R"(",["map",[[)" + text(b) + "," + number(b / 8) +
             "]]]]]}";
    case 7:
      return R"({"op":"mutate","table":"T",)" + where(a) + R"(,"mutations":[["n","+=",1]]})";
    case 8:
      return R"({"op":"delete","table":"T",)" + where(a) + "}";
    case 9:
    case 10:
      return R"({"op":"insert","table":"C","uuid-name":"c","row":{"n":)" + number(a) +
             R"(}},{"op":"insert","table":"T","uuid-name":"t","row":{"n":)" + number(b) +
             R"(}},{"op":"insert","table":"P","row":{"name":)" + text(a) +
             R"(,"kids":["named-uuid","c"],"weak":["named-uuid","t"]}})";
    case 11:
      return R"({"op":"update","table":"P","where":[["name","==",)" + text(a) +
             R"(]],"row":{"kids":["set",[]]}})";
    case 12:
      return R"({"op":"delete","table":"P","where":[["name","==",)" + text(a) + "]]}";
    case 13:
    case 14:
    case 15:
      return wait(a, b);
    case 16:
      return R"({"op":"select","table":"T",)" + where(a) + "}";
    case 17:
      return R"({"op":"commit","durable":true},{"op":"comment","comment":"tandem: promotion epoch=9"})";
    case 18:
      return R"({"op":"assert","lock":"L)" + std::to_string(a % 3) + "\"}";
    case 19:
      return R"({"op":"abort"})";
    case 20:
      return R"({"op":"insert","table":"T","uuid":"00000000-0000-4000-8000-00000000000)" +
             number(a) + R"(","row":{"n":)" + number(b) + "}}";
    case 21:
      return R"({"op":"update","table":"T",)" + where(a) + R"(,"row":{"none":1}})";
    case 22:
      return R"({"op":"insert","table":"P","row":{"name":"x","kids":["uuid","00000000-0000-4000-8000-000000000009"]}})";
    default:
      return R"({"op":"commit","durable":true})";
  }
}

}  // namespace

Json operations_of(const Command& command) {
  std::string all = "[" + operation(command.a, command.b, command.c);
  if (command.d & 1U) all += "," + operation(command.d >> 1U, command.c, command.b);
  if (command.d & 2U) all += "," + operation(command.a + command.d, command.c + 1, command.b + 1);
  return read_json(all + "]").value();
}

MonitorModel::Condition condition_of(const MonitorModel& model, unsigned choice) {
  using Clause = MonitorModel::Clause;
  if (model.table != "T") {
    if (choice % 4 == 0) return {{Clause{"name", "==", "D0"}}};
    if (choice % 4 == 1) return {{Clause{"name", "!=", "D0"}}};
    return {};
  }
  static constexpr std::array<std::string_view, 8> functions{
      "==", "!=", "<", "<=", ">", ">=", "includes", "excludes"};
  const std::int64_t n = choice / 4 % 8;
  const std::string function(functions[choice / 32 % 8]);
  const std::string letter(1, static_cast<char>('a' + n % 4));
  switch (choice % 8) {
    case 0:
      return {};
    case 1:
      return {{Clause{"", "", n % 2 == 0}}};
    case 2:
      return {{Clause{"n", function, n}}};
    case 3:
      return {{Clause{"n", "==", n}, Clause{"n", "==", (n + 1) % 8}, Clause{"s", "==", letter}}};
    case 4:
      return {{Clause{"tags", choice & 32U ? "includes" : "excludes",
                      Json::array({"set", Json::array({letter})})}}};
    case 5:
      return {
          {Clause{"tags", choice & 32U ? "==" : "includes", Json::array({"set", Json::array()})}}};
    case 6:
      return {{Clause{"n", "==", n}, Clause{"", "", false}}};
    default:
      return {{Clause{"s", choice & 32U ? "==" : "!=", letter}, Clause{"n", "==", n}}};
  }
}

Json monitor_requests_of(const MonitorModel& model, unsigned choice) {
  Json request;
  request["columns"] = model.columns;
  if (model.version != MonitorModel::Version::kUpdate && !model.condition.any_of.empty())
    request["where"] = model.condition.to_json();
  if (!model.followed)
    request["select"] = {{"initial", (choice & 1U) != 0}, {"modify", (choice & 2U) != 0}};
  Json requests;
  requests[model.table] = (choice & 4U) != 0 ? Json::array({request}) : request;
  if (model.table == "T" && (choice & 8U) != 0) {
    requests["P"] = Json::object();
    requests["C"][0]["columns"] = Json::array({"n"});
  }
  return requests;
}

Json odd_params(unsigned choice) {
  static const std::vector<Json> all = [] {
    std::vector<Json> made;
    for (const char* text :
         {"[]", "[null]", R"(["D0"])", R"(["D0",null])", R"(["D0",["x"],{"T":{}}])",
          R"(["D0",{},{"T":[{},{}]},"x"])", R"(["D0","A",{"T":{"columns":["n","n"]}}])",
          R"(["none",{}])", R"(["D0","A",{"none":{}},""])", R"([{"a":1},"A",{}])", R"([true])",
          R"(["L0"])", R"(["1L"])", R"(["D0",{"op":"select"}])", R"(["D0",7,[]])",
          R"(["D0","A",{"T":[{"where":[["n","<","x"]]}]},"00000000-0000-0000-0000-000000000000"])",
          R"(["D0",{"position":{"epoch":-1,"index":1e300,"digest":"x"}}])",
          R"(["D1",{"name":"D0","version":"1.0.0","tables":{}}])",
          R"(["_Server",{"name":"_Server","version":"1.0.0","tables":{}}])"})
      made.push_back(read_json(text).value());
    return made;
  }();
  return all[choice % all.size()];
}

}  // namespace tandem::fuzz
