#include "server/net/message_log.h"

#include <optional>
#include <string_view>
#include <utility>

#include "server/logging/log.h"

namespace tandem::net {

namespace {
log::Module jsonrpc("jsonrpc");
}

std::string describe(const JsonRpcMessage& message) {
  using Kind = JsonRpcMessage::Kind;
  std::string text;
  const auto add_json = [&text](const char* label, JsonView value) {
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
  text += ", id=";
  return text += message.id.text();
}

void SentLog::add(const std::string& text, const std::string& connection) {
  if (framer_ == nullptr) framer_ = std::make_unique<Framer>(most_bytes_);
  std::string_view rest = text;
  while (!rest.empty()) {
    Result<std::optional<JsonDocument>> value = framer_->next(rest);
    if (!value || !*value) return;
    const Result<JsonRpcMessage> message = JsonRpcMessage::from_json(std::move(**value));
    if (message) jsonrpc.dbg("{}: send {}", connection, describe(*message));
  }
}

}  // namespace tandem::net
