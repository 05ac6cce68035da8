#include "server/database/json_scanner.h"

#include <cstring>

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
  for (;;) {
    const void* const found = std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
    if (!found) return std::nullopt;
    const char* const quote = static_cast<const char*>(found);
    at_ = quote + 1;
    const char* backslash = quote;
    while (backslash > begin && backslash[-1] == '\\') backslash--;
    if ((quote - backslash) % 2 == 0) return std::string_view(begin, quote);
  }
}

std::string_view JsonScanner::raw_number() {
  skip_space();
  const char* const begin = at_;
  while (at_ < end_ && ((*at_ >= '0' && *at_ <= '9') || *at_ == '-' || *at_ == '+' || *at_ == '.' ||
                        *at_ == 'e' || *at_ == 'E')) {
    at_++;
  }
  return {begin, at_};
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
    if (depth == 0 && (closes || c == ',' || c == ' ' || c == '\n')) break;
    at_++;
    if (closes && --depth == 0) return std::string_view(begin, at_);
  }
  if (depth > 0 || at_ == begin) return std::nullopt;
  return std::string_view(begin, at_);
}

bool is_plain(std::string_view raw) {
  unsigned bad = 0;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>(byte < 0x20) | static_cast<unsigned>(byte >= 0x80) |
           static_cast<unsigned>(byte == '\\') | static_cast<unsigned>(byte == '"');
  }
  return bad == 0;
}

bool append_unescaped(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const std::size_t plain = raw.find('\\');
    const std::string_view head = raw.substr(0, plain);
    if (!is_plain(head)) return false;
    out += head;
    if (plain == std::string_view::npos) return true;
    if (plain + 1 == raw.size()) return false;
    switch (raw[plain + 1]) {
      case '"':
        out += '"';
        break;
      case '\\':
        out += '\\';
        break;
      case '/':
        out += '/';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      default:
        return false;
    }
    raw.remove_prefix(plain + 2);
  }
  return true;
}

}  // namespace tandem
