#include "protocol/json/json_scanner.h"

#include <cstring>

#include "protocol/json/json_lexer.h"

namespace tandem {

bool JsonScanner::take(std::string_view word) {
  skip_space();
  if (static_cast<std::size_t>(end_ - at_) < word.size()) return false;
  if (std::memcmp(at_, word.data(), word.size()) != 0) return false;
  at_ += word.size();
  return true;
}

std::optional<std::string_view> JsonScanner::raw_string() {
  if (!take('"')) return std::nullopt;
  const char* const begin = at_;
  has_escapes_ = false;
  while ((at_ = find_in_string(at_, end_)) != end_ && *at_ != '"') {
    if (*at_ != '\\' || end_ - at_ < 2) return std::nullopt;
    has_escapes_ = true;
    at_ += 2;
  }
  if (at_ == end_) return std::nullopt;
  return std::string_view(begin, at_++);
}

std::string_view JsonScanner::raw_number() {
  skip_space();
  const char* const begin = at_;
  NumberPart part = NumberPart::kStart;
  at_ = scan_number(at_, end_, part);
  return is_whole(part) ? std::string_view(begin, at_) : std::string_view();
}

std::optional<std::string_view> JsonScanner::raw_value() {
  skip_space();
  const char* const begin = at_;
  std::size_t depth = 0;
  while (at_ < end_) {
    const char c = *at_;
    if (c == '"') {
      if (!raw_string()) return std::nullopt;
      if (depth == 0) return std::string_view(begin, at_);
      continue;
    }
    if (c == '{' || c == '[') depth++;
    const bool closes = c == '}' || c == ']';
    // At the top a number or a word ends here.
    if (depth == 0 && (closes || c == ',' || is_json_space(c))) break;
    at_++;
    if (closes && --depth == 0) return std::string_view(begin, at_);
  }
  if (depth > 0 || at_ == begin) return std::nullopt;
  return std::string_view(begin, at_);
}

}  // namespace tandem
