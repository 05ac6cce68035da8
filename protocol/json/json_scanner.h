#pragma once

#include <optional>
#include <string_view>

#include "protocol/json/json_lexer.h"

namespace tandem {

/// A cursor over JSON text, for records too large to make values of. It recognizes what well-formed
/// text has and says "no" to anything else, without a reason: who wants the reason parses the place
/// anew with parse_json(). After a "no" the cursor stands anywhere. Borrows the text.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  /// Skips white space; whether `c` comes next.
  bool sees(char c) {
    skip_space();
    return at_ < end_ && *at_ == c;
  }
  /// The same, and goes over it.
  bool take(char c) {
    if (!sees(c)) return false;
    at_++;
    return true;
  }
  bool take(std::string_view word);
  bool at_end() {
    skip_space();
    return at_ == end_;
  }

  /// A string's text as it stands between the quotes.
  std::optional<std::string_view> raw_string();
  /// Were there escapes in the last one?
  bool has_escapes() const { return has_escapes_; }
  /// A number's text; empty if there is none.
  std::string_view raw_number();
  /// The text of a whole value, brackets counted but not checked.
  std::optional<std::string_view> raw_value();

  const char* position() const { return at_; }
  void rewind(const char* position) { at_ = position; }

 private:
  void skip_space() {
    while (at_ < end_ && is_json_space(*at_)) at_++;
  }

  const char* at_;
  const char* end_;
  bool has_escapes_ = false;
};

}  // namespace tandem
