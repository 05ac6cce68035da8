#include "protocol/jsonrpc.h"

#include <fmt/core.h>

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <utility>

namespace tandem {

namespace {

Error bad_message(std::string details) {
  return {"protocol error", std::move(details), std::nullopt};
}

/// The members of a message; null when absent or JSON null, which is the same in JSON-RPC 1.0.
struct Members {
  json::value* method = nullptr;
  json::value* params = nullptr;
  json::value* result = nullptr;
  json::value* error = nullptr;
  json::value* id = nullptr;
};

/// Finds the members; an error if there are others.
Result<Members> find_members(json::object& object) {
  Members members;
  std::string_view unexpected;
  for (auto& member : object) {
    const std::string_view name = member.key();
    json::value** const slot = name == "method"   ? &members.method
                               : name == "params" ? &members.params
                               : name == "result" ? &members.result
                               : name == "error"  ? &members.error
                               : name == "id"     ? &members.id
                                                  : nullptr;
    if (!slot) {
      if (unexpected.empty() || name < unexpected) unexpected = name;
    } else if (name == "method" && !member.value().is_string()) {
      return bad_message("method is not a JSON string");
    } else if (!member.value().is_null()) {
      *slot = &member.value();
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
  const std::array<Rule, 5> rules = {{{"method", members.method != nullptr, calls},
                                      {"params", members.params != nullptr, calls},
                                      {"result", members.result != nullptr, kind == Kind::kReply},
                                      {"error", members.error != nullptr, kind == Kind::kError},
                                      {"id", members.id != nullptr, kind != Kind::kNotification}}};
  for (const Rule& rule : rules) {
    if (rule.present == rule.wanted) continue;
    return bad_message(fmt::format("{} must {} \"{}\"", kNames[static_cast<std::size_t>(kind)],
                                   rule.wanted ? "have" : "not have", rule.name));
  }
  return {};
}

/// Moves a member out; stays in the message's arena.
json::value take(json::value* member) {
  return member ? json::value(std::move(*member)) : json::value();
}

/// Ids are kept while a request runs: they leave the arena.
json::value copy_out(const json::value* member) {
  return member ? json::value(*member, json::storage_ptr()) : json::value();
}

std::string_view text_of(const json::value* method) {
  return method ? std::string_view(method->get_string()) : std::string_view();
}

/// {"FIRST":FIRST_JSON,"id":ID,"LAST":LAST_JSON}
std::string make_message(std::string_view first, std::string_view first_json, const json::value& id,
                         std::string_view last, std::string_view last_json) {
  std::string text;
  text.reserve(first_json.size() + last_json.size() + 64);
  text += "{\"";
  text += first;
  text += "\":";
  text += first_json;
  text += ",\"id\":";
  append_json(text, id);
  text += ",\"";
  text += last;
  text += "\":";
  text += last_json;
  text += '}';
  return text;
}

std::string quoted(std::string_view method) {
  std::string text;
  append_json_string(text, method);
  return text;
}

}  // namespace

Result<JsonRpcMessage> JsonRpcMessage::from_json(json::value value) {
  json::object* object = value.if_object();
  if (!object) return bad_message("message is not a JSON object");
  auto members = find_members(*object);
  if (!members) return std::move(members).error();
  if (members->params && !members->params->is_array())
    return bad_message("\"params\" must be JSON array");
  const Kind kind = kind_of(*members);
  if (auto checked = check_members(*members, kind); !checked) return std::move(checked).error();
  return JsonRpcMessage{kind,
                        std::string(text_of(members->method)),
                        take(members->params),
                        copy_out(members->id),
                        take(members->result),
                        take(members->error)};
}

json::value JsonRpcMessage::to_json() const {
  json::object object;
  object["id"] = id;
  switch (kind) {
    case Kind::kRequest:
    case Kind::kNotification:
      object["method"] = method;
      object["params"] = params;
      break;
    case Kind::kReply:
    case Kind::kError:
      object["result"] = result;
      object["error"] = error;
      break;
  }
  return object;
}

std::string make_notification(std::string_view method, std::string_view params_json) {
  return make_message("method", quoted(method), nullptr, "params", params_json);
}

std::string make_request(std::string_view method, std::string_view params_json,
                         const json::value& id) {
  return make_message("method", quoted(method), id, "params", params_json);
}

std::string make_reply(const json::value& id, std::string_view result_json) {
  return make_message("error", "null", id, "result", result_json);
}

std::string begin_reply(const json::value& id) {
  std::string text = make_reply(id, "");  // the result is its last member
  text.pop_back();
  return text;
}

std::string make_error_reply(const json::value& id, std::string_view error_json) {
  return make_message("error", error_json, id, "result", "null");
}

}  // namespace tandem
