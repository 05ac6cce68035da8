#pragma once

#include <boost/json/error.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cstddef>
#include <memory>
#include <string_view>

#include "protocol/error.h"

namespace tandem {

/// Reads JSON values that arrive in pieces, as ovsdb-server reads them: numbers without a fraction
/// that fit 64 bits become int64 exactly, however they are written (1.0, 10e-1), all others the
/// nearest double; strings need not be UTF-8 (columns check that), but NUL in them is an error, and
/// so is a value nested deeper than 1000. One thread.
class JsonParser {
 public:
  JsonParser();
  ~JsonParser();
  JsonParser(JsonParser&&) noexcept;
  JsonParser& operator=(JsonParser&&) noexcept;

  /// Takes bytes from the front of `text` until the value is complete, the text is used up, or it
  /// is wrong (sets `ec`; then only reset() helps). Returns how many it took. A number at top level
  /// is complete only by finish().
  std::size_t write(std::string_view text, json::error_code& ec);
  /// The text has ended: sets `ec` if the value is not complete.
  void finish(json::error_code& ec);
  bool done() const;
  /// The value. Requires done(). The parser is then ready for the next one.
  json::value release();
  /// Drops what has been read, and makes the next value in `memory` (by default the heap).
  void reset(json::storage_ptr memory = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a text that is one JSON value. Fails with "syntax error", its details the place and fault
/// of json_fault.h.
Result<json::value> parse_json(std::string_view text);

}  // namespace tandem
