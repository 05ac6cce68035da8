#include "server/net/message_log.h"

namespace tandem::net {

std::string describe(const JsonRpcMessage& message) {
  using Kind = JsonRpcMessage::Kind;
  std::string text;
  const auto add_json = [&text](const char* label, const json::value& value) {
    text += label;
    append_json(text, value);
  };
  const auto add_call = [&](const char* kind) {
    text += kind;
    text += ", method=";
    append_json_string(text, message.method);
    add_json(", params=", message.params);
  };
  switch (message.kind) {
    case Kind::kRequest:
      add_call("request");
      break;
    case Kind::kNotification:
      add_call("notification");
      return text;
    case Kind::kReply:
      add_json("reply, result=", message.result);
      break;
    case Kind::kError:
      add_json("error, error=", message.error);
      break;
  }
  add_json(", id=", message.id);
  return text;
}

}  // namespace tandem::net
