#include "protocol/jsonrpc.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "protocol/json/json_output.h"

namespace tandem {

namespace {

Error bad_message(std::string details) {
  return {"protocol error", std::move(details), std::nullopt};
}

/// The members of a message; those that are null count as absent, which is the same in JSON-RPC
/// 1.0.
struct Members {
  JsonView method;
  JsonView params;
  JsonView result;
  JsonView error;
  JsonView id;
};

/// Finds the members; an error if there are others.
Result<Members> find_members(JsonView object) {
  Members members;
  std::string_view unexpected;
  for (const auto& [name, value] : object.members()) {
    JsonView* const slot = name == "method"   ? &members.method
                           : name == "params" ? &members.params
                           : name == "result" ? &members.result
                           : name == "error"  ? &members.error
                           : name == "id"     ? &members.id
                                              : nullptr;
    if (!slot) {
      if (unexpected.empty() || name < unexpected) unexpected = name;
    } else if (name == "method" && !value.is_string()) {
      return bad_message("method is not a JSON string");
    } else if (!value.is_null()) {
      *slot = value;
    }
  }
  if (!unexpected.empty())
    return bad_message(fmt::format("message has unexpected member \"{}\"", unexpected));
  return members;
}

JsonRpcMessage::Kind kind_of(const Members& members) {
  using Kind = JsonRpcMessage::Kind;
  if (members.result) return Kind::kReply;
  if (members.error) return Kind::kError;
  return members.id ? Kind::kRequest : Kind::kNotification;
}

/// Checks that the members are those of the kind.
Result<void> check_members(const Members& members, JsonRpcMessage::Kind kind) {
  using Kind = JsonRpcMessage::Kind;
  constexpr std::array<std::string_view, 4> kNames = {"request", "notification", "reply", "error"};
  const bool calls = kind == Kind::kRequest || kind == Kind::kNotification;
  struct Rule {
    std::string_view name;
    bool present;
    bool wanted;
  };
  const std::array<Rule, 5> rules = {
      {{"method", static_cast<bool>(members.method), calls},
       {"params", static_cast<bool>(members.params), calls},
       {"result", static_cast<bool>(members.result), kind == Kind::kReply},
       {"error", static_cast<bool>(members.error), kind == Kind::kError},
       {"id", static_cast<bool>(members.id), kind != Kind::kNotification}}};
  for (const Rule& rule : rules) {
    if (rule.present == rule.wanted) continue;
    return bad_message(fmt::format("{} must {} \"{}\"", kNames[static_cast<std::size_t>(kind)],
                                   rule.wanted ? "have" : "not have", rule.name));
  }
  return {};
}

/// {"FIRST":FIRST_JSON,"id":ID,"LAST":LAST_JSON}
std::string make_message(std::string_view first, std::string_view first_json, const JsonId& id,
                         std::string_view last, std::string_view last_json) {
  std::string text;
  text.reserve(first_json.size() + last_json.size() + 64);
  text += "{\"";
  text += first;
  text += "\":";
  text += first_json;
  text += ",\"id\":";
  text += id.text();
  text += ",\"";
  text += last;
  text += "\":";
  text += last_json;
  text += '}';
  return text;
}

}  // namespace

Result<JsonRpcMessage> JsonRpcMessage::from_json(JsonDocument document) {
  const JsonView object = document.root();
  if (!object.is_object()) return bad_message("message is not a JSON object");
  auto members = find_members(object);
  if (!members) return std::move(members).error();
  if (members->params && !members->params.is_array())
    return bad_message("\"params\" must be JSON array");
  const Kind kind = kind_of(*members);
  if (auto checked = check_members(*members, kind); !checked) return std::move(checked).error();
  JsonRpcMessage message;
  message.kind = kind;
  if (members->method) message.method = members->method.get_string();
  message.params = members->params;
  message.id = JsonId(members->id);
  message.result = members->result;
  message.error = members->error;
  message.document = std::move(document);
  return message;
}

std::string JsonRpcMessage::answer_text() const {
  const JsonView answer = kind == Kind::kError ? error : result;
  return answer.is_string() ? std::string(answer.get_string()) : to_text(answer);
}

std::string make_notification(std::string_view method, std::string_view params_json) {
  return make_message("method", json_string(method), JsonId(), "params", params_json);
}

std::string make_request(std::string_view method, std::string_view params_json, const JsonId& id) {
  return make_message("method", json_string(method), id, "params", params_json);
}

std::string make_reply(const JsonId& id, std::string_view result_json) {
  return make_message("error", "null", id, "result", result_json);
}

std::string begin_reply(const JsonId& id) {
  std::string text = make_reply(id, "");  // the result is its last member
  text.pop_back();
  return text;
}

std::string make_error_reply(const JsonId& id, std::string_view error_json) {
  return make_message("error", error_json, id, "result", "null");
}

}  // namespace tandem
