#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/json/json_output.h"

namespace tandem {

/// The id of a request or monitor: any JSON value, kept as text. Two are equal if and only if the
/// values are.
class JsonId {
 public:
  /// null, which notifications have.
  JsonId() : text_("null") {}
  explicit JsonId(JsonView value) { append_json(text_, value, Reals::kExact); }
  explicit JsonId(std::int64_t number) : text_(std::to_string(number)) {}
  static JsonId of_string(std::string_view value) {
    JsonId id;
    id.text_.clear();
    append_json_string(id.text_, value);
    return id;
  }

  const std::string& text() const { return text_; }
  auto operator<=>(const JsonId&) const = default;

 private:
  std::string text_;
};

}  // namespace tandem
