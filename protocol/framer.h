#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "protocol/json/json_reader.h"

namespace tandem {

/// Cuts a byte stream, split anywhere, into the JSON values that stand in it one after the other,
/// with or without white space between. Sans-IO. After an error it stays failed: the stream has no
/// next message.
class Framer {
 public:
  /// Messages over `max_bytes`, or nested deeper than 1000, are errors.
  explicit Framer(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// Takes bytes from the front of `input` (and removes them there) until a value is complete or
  /// the input is used up. A value when one is complete: call again with the rest. Nothing: more
  /// bytes are needed. A fault is told as ovsdb-server tells it (json_fault.h).
  Result<std::optional<JsonDocument>> next(std::string_view& input);
  /// From now on, the message that is being read included.
  void set_max_bytes(std::size_t max_bytes) { max_bytes_ = max_bytes; }
  /// True if it failed because a message was too long.
  bool is_too_long() const { return too_long_; }
  /// Bytes of the value that is complete, or of what has arrived of the next one.
  std::size_t message_bytes() const { return message_bytes_; }
  /// True if part of a value has arrived.
  bool partial() const { return partial_; }

 private:
  using Message = std::optional<JsonDocument>;
  void skip_space(std::string_view& input);
  /// `text`: what has come of the message.
  Error refuse(std::string_view text);
  Error refuse_length();

  std::size_t max_bytes_;
  JsonReader reader_;
  std::string text_;  ///< of a message that has arrived in part
  std::size_t message_bytes_ = 0;
  JsonPlace space_;  ///< what stands between the message and the one before
  bool partial_ = false;
  bool failed_ = false;
  bool too_long_ = false;
};

}  // namespace tandem
