#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/error.h"

namespace tandem {

/// Cuts a byte stream, split anywhere, into the JSON values that stand in it one after the other,
/// with or without white space between. Sans-IO. After an error it stays failed: the stream has no
/// next message.
class Framer {
 public:
  /// Messages over `max_bytes`, or nested deeper than 1000, are errors.
  explicit Framer(std::size_t max_bytes);
  ~Framer();
  Framer(Framer&&) noexcept;
  Framer& operator=(Framer&&) noexcept;

  /// Takes bytes from the front of `input` (and removes them there) until a value is complete or
  /// the input is used up. A value when one is complete: call again with the rest. Nothing: more
  /// bytes are needed. All of a value lives in one arena, so what is kept of it for long should be
  /// copied.
  Result<std::optional<json::value>> next(std::string_view& input);
  /// From now on, the message that is being read included.
  void set_max_bytes(std::size_t max_bytes);
  /// True if it failed because a message was too long.
  bool is_too_long() const;
  /// Bytes of the value that is complete, or of what has arrived of the next one.
  std::size_t message_bytes() const;
  /// True if part of a value has arrived.
  bool partial() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tandem
