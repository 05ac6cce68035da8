#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "protocol/json/json_id.h"

namespace tandem {

/// A JSON-RPC 1.0 message (RFC 7047 section 4), read where it stands.
struct JsonRpcMessage {
  enum class Kind : std::uint8_t { kRequest, kNotification, kReply, kError };
  Kind kind = Kind::kNotification;
  JsonDocument document;    ///< what the views are of
  std::string_view method;  ///< of requests and notifications
  JsonView params;          ///< of requests and notifications: an array
  JsonId id;                ///< of all but notifications
  JsonView result;          ///< of replies
  JsonView error;           ///< of errors
  std::size_t bytes = 0;    ///< it had on the wire, if that is known

  /// Checks the members as ovsdb-server does; the error's text is for the "Protocol error" log
  /// line.
  static Result<JsonRpcMessage> from_json(JsonDocument document);
  /// Of the answer to a control command, which is a string: as it is. Any other value as JSON.
  std::string answer_text() const;
};

// Texts of messages.

std::string make_notification(std::string_view method, std::string_view params_json);
std::string make_request(std::string_view method, std::string_view params_json, const JsonId& id);
std::string make_reply(const JsonId& id, std::string_view result_json);
/// The text of a reply up to its result, for results that are sent in pieces; "}" ends it.
std::string begin_reply(const JsonId& id);
std::string make_error_reply(const JsonId& id, std::string_view error_json);

}  // namespace tandem
