#include "protocol/json_fault.h"

// A reader of JSON that makes nothing but the description of the first fault. It runs only on texts
// that the fast parser has refused: that one knows neither lines nor what was expected, and these
// texts are part of the interface.

#include <fmt/core.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace tandem {

namespace {

constexpr std::size_t kMaxDepth = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_keyword_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_number_character(char c) {
  return is_digit(c) || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/// What is wrong with the characters of a number; empty: nothing.
std::string number_fault(const std::string& text) {
  std::size_t at = text[0] == '-' ? 1 : 0;
  const auto digit_here = [&] { return at < text.size() && is_digit(text[at]); };
  const auto skip_digits = [&] {
    while (digit_here()) ++at;
  };

  if (!digit_here()) return "'-' must be followed by digit";
  if (text[at++] == '0' && digit_here()) return "leading zeros not allowed";
  skip_digits();
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digit_here()) return "decimal point must be followed by digit";
    skip_digits();
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    const std::size_t sign = at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (!digit_here()) return "exponent must contain at least one digit";
    if (std::llabs(std::strtoll(text.c_str() + sign, nullptr, 10)) > INT32_MAX)
      return "exponent outside valid range";
    skip_digits();
  }
  if (at < text.size()) return "syntax error in number";
  const double value = std::strtod(text.c_str(), nullptr);
  return value - value == 0 ? "" : "number outside valid range";
}

/// The four digits of a \u escape, or -1.
int escaped_unit(std::string_view digits) {
  int unit = 0;
  for (const char c : digits) {
    const char lower = static_cast<char>(c | 0x20);
    if (!is_digit(c) && (lower < 'a' || lower > 'f')) return -1;
    unit = unit * 16 + (is_digit(c) ? c - '0' : lower - 'a' + 10);
  }
  return unit;
}

/// What is wrong with what stands between quotes; empty: nothing.
std::string string_fault(std::string_view text) {
  constexpr std::string_view kSimpleEscapes = "\"\\/bfnrt";
  constexpr std::size_t kUnitLength = 4;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') continue;
    const char kind =
        text[++at];  // a backslash is never last: it would have escaped the closing quote
    if (kSimpleEscapes.find(kind) != std::string_view::npos) continue;
    if (kind != 'u') return fmt::format("bad escape \\{}", kind);
    if (text.size() - at - 1 < kUnitLength) return "quoted string ends within \\u escape";
    const int unit = escaped_unit(text.substr(at + 1, kUnitLength));
    at += kUnitLength;
    if (unit < 0) return "malformed \\u escape";
    if (unit == 0) return "null bytes not supported in quoted strings";
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const std::string_view rest = text.substr(at + 1);
    if (rest.size() < kUnitLength + 2 || !rest.starts_with("\\u"))
      return "malformed escaped surrogate pair";
    const int second = escaped_unit(rest.substr(2, kUnitLength));
    if (second < 0) return "malformed \\u escape";
    if (second < 0xdc00 || second > 0xdfff)
      return "second half of escaped surrogate pair is not trailing surrogate";
    at += kUnitLength + 2;
  }
  return {};
}

class FaultFinder {
 public:
  explicit FaultFinder(std::string_view text) : text_(text) {}

  std::string find() {
    while (at_ < text_.size() && fault_.empty()) read_token();
    if (fault_.empty() && expected_ != Expected::kEnd) {
      fault_ = expected_ == Expected::kStart ? "empty input stream" : "unexpected end of input";
    }
    return fault_.empty() ? ""
                          : fmt::format("line {}, column {}, byte {}: {}", line_, at_ - line_begin_,
                                        at_, fault_);
  }

 private:
  enum class Expected {
    kStart,         ///< the outermost value, which must be an object or an array
    kFirstKey,      ///< a member's name or '}'
    kKey,           ///< a member's name
    kColon,         ///< ':'
    kMemberValue,   ///< a member's value
    kMemberEnd,     ///< '}' or ','
    kFirstElement,  ///< a value or ']'
    kElement,       ///< a value
    kElementEnd,    ///< ']' or ','
    kEnd,           ///< nothing
  };
  enum class Token { kPunctuation, kString, kOtherValue };

  void read_token() {
    const char c = text_[at_];
    if (is_space(c)) {
      advance();
    } else if (is_keyword_letter(c)) {
      read_keyword();
    } else if (c == '-' || is_digit(c)) {
      read_number();
    } else if (c == '"') {
      read_string();
    } else if (std::string_view("[]{}:,").find(c) != std::string_view::npos) {
      accept(Token::kPunctuation, c);
      if (fault_.empty()) advance();
    } else if (c > ' ' && c < '\x7f') {
      fault_ = fmt::format("invalid character '{}'", c);
    } else {
      fault_ = fmt::format("invalid character U+{:04x}", static_cast<unsigned char>(c));
    }
  }

  void advance() {
    if (text_[at_++] != '\n') return;
    ++line_;
    line_begin_ = at_;
  }

  void read_keyword() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_keyword_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word != "true" && word != "false" && word != "null") {
      fault_ = fmt::format("invalid keyword '{}'", word);
    } else {
      end_word();
    }
  }

  void read_number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_number_character(text_[at_])) ++at_;
    fault_ = number_fault(std::string(text_.substr(begin, at_ - begin)));
    if (fault_.empty()) end_word();
  }

  void read_string() {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) {
        fault_ = fmt::format("U+{:04X} must be escaped in quoted string", c);
        return;
      }
      at_ += c == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    }
    if (at_ == text_.size()) {
      fault_ = "unexpected end of input in quoted string";
      return;
    }
    fault_ = string_fault(text_.substr(begin, at_ - begin));
    if (!fault_.empty()) return;
    accept(Token::kString, '"');
    if (fault_.empty()) ++at_;
  }

  /// Takes a keyword or number. One that the text's end cuts off is ended by a space, which counts.
  void end_word() {
    accept(Token::kOtherValue, 0);
    if (at_ == text_.size() && fault_.empty()) ++at_;
  }

  void accept(Token token, char c) {
    switch (expected_) {
      case Expected::kStart:
        if (c == '{' || c == '[') return open(c);
        fault_ = "syntax error at beginning of input";
        return;
      case Expected::kFirstKey:
        if (c == '}') return close();
        [[fallthrough]];
      case Expected::kKey:
        if (token == Token::kString) {
          expected_ = Expected::kColon;
        } else {
          fault_ = "syntax error parsing object expecting string";
        }
        return;
      case Expected::kColon:
        if (c == ':') {
          expected_ = Expected::kMemberValue;
        } else {
          fault_ = "syntax error parsing object expecting ':'";
        }
        return;
      case Expected::kFirstElement:
        if (c == ']') return close();
        [[fallthrough]];
      case Expected::kMemberValue:
      case Expected::kElement:
        if (c == '{' || c == '[') return open(c);
        if (token == Token::kPunctuation) {
          fault_ = "syntax error expecting value";
        } else {
          after_value();
        }
        return;
      case Expected::kMemberEnd:
        if (c == '}') return close();
        if (c == ',') {
          expected_ = Expected::kKey;
        } else {
          fault_ = "syntax error expecting '}' or ','";
        }
        return;
      case Expected::kElementEnd:
        if (c == ']') return close();
        if (c == ',') {
          expected_ = Expected::kElement;
        } else {
          fault_ = "syntax error expecting ']' or ','";
        }
        return;
      case Expected::kEnd:
        fault_ = "trailing garbage at end of input";
        return;
    }
  }

  void open(char c) {
    if (open_.size() == kMaxDepth) {
      fault_ = fmt::format("input exceeds maximum nesting depth {}", kMaxDepth);
      return;
    }
    open_.push_back(c);
    expected_ = c == '{' ? Expected::kFirstKey : Expected::kFirstElement;
  }

  void close() {
    open_.pop_back();
    after_value();
  }

  void after_value() {
    if (open_.empty()) {
      expected_ = Expected::kEnd;
    } else {
      expected_ = open_.back() == '{' ? Expected::kMemberEnd : Expected::kElementEnd;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::size_t line_begin_ = 0;
  Expected expected_ = Expected::kStart;
  std::vector<char> open_;  ///< the brackets that are open
  std::string fault_;
};

}  // namespace

std::string describe_json_fault(std::string_view text) { return FaultFinder(text).find(); }

}  // namespace tandem
