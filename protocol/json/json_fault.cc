#include "protocol/json/json_fault.h"

// ovsdb-server sees a fault when it has read a whole token: a reader, which stops at the first
// wrong byte, tells where that token begins and what was expected, and it is read again here.

#include <fmt/core.h>

#include <algorithm>

#include "protocol/json/json_lexer.h"

namespace tandem {

namespace {

/// Names the fault in the characters of a number; empty if there is none.
std::string_view number_fault(std::string_view number) {
  NumberPart part = NumberPart::kStart;
  const char* const end = number.data() + number.size();
  const char* const at = scan_number(number.data(), end, part);
  if (part == NumberPart::kZero && at < end && is_json_digit(*at))
    return "leading zeros not allowed";
  switch (part) {
    case NumberPart::kStart:
    case NumberPart::kMinus:
      return "'-' must be followed by digit";
    case NumberPart::kPoint:
      return "decimal point must be followed by digit";
    case NumberPart::kE:
    case NumberPart::kSign:
      return "exponent must contain at least one digit";
    case NumberPart::kZero:
    case NumberPart::kInteger:
    case NumberPart::kFraction:
    case NumberPart::kExponent:
      break;
  }
  switch (range_of_number({number.data(), at})) {
    case NumberRange::kExponent:
      return "exponent outside valid range";
    case NumberRange::kNumber:
      return at < end ? "syntax error in number" : "number outside valid range";
    case NumberRange::kFine:
      break;
  }
  return at < end ? "syntax error in number" : "";
}

/// Names the fault in the text between quotes; empty if there is none.
std::string string_fault(std::string_view text) {
  std::string ignored;
  while (true) {
    text.remove_prefix(std::min(text.find('\\'), text.size()));
    if (text.empty()) return {};
    switch (take_escape(text, ignored)) {
      case EscapeFault::kNone:
        break;
      case EscapeFault::kIncomplete: {
        constexpr std::size_t kFirstLength = 6;  // what is behind that is the second of a pair
        return text.size() < kFirstLength ? "quoted string ends within \\u escape"
                                          : "malformed escaped surrogate pair";
      }
      case EscapeFault::kUnknown:
        return fmt::format("bad escape \\{}", text[1]);
      case EscapeFault::kMalformed:
        return "malformed \\u escape";
      case EscapeFault::kNull:
        return "null bytes not supported in quoted strings";
      case EscapeFault::kNoPair:
        return "malformed escaped surrogate pair";
      case EscapeFault::kNotTrailing:
        return "second half of escaped surrogate pair is not trailing surrogate";
    }
  }
}

class FaultDescriber {
 public:
  FaultDescriber(std::string_view text, const JsonFault& fault)
      : text_(text), fault_(fault), at_(fault.token) {}

  std::string describe() {
    if (at_ == text_.size()) {
      end_input();
    } else {
      read_token();
    }
    JsonPlace place = fault_.begin;
    place.advance(text_.substr(0, at_));
    const std::size_t space = at_ > text_.size() ? 1 : 0;
    return fmt::format("line {}, column {}, byte {}: {}", place.line, place.column + space,
                       place.byte + space, words_);
  }

 private:
  enum class Token { kPunctuation, kString, kOtherValue };

  void end_input() {
    // A word that the text's end cuts off is ended by a space, which counts.
    const char last = text_.empty() ? ' ' : text_.back();
    if (is_keyword_letter(last) || is_number_character(last)) ++at_;
    words_ =
        fault_.expected == JsonExpected::kStart ? "empty input stream" : "unexpected end of input";
  }

  void read_token() {
    const char c = text_[at_];
    if (is_keyword_letter(c)) {
      read_keyword();
    } else if (c == '-' || is_json_digit(c)) {
      read_number();
    } else if (c == '"') {
      read_string();
    } else if (std::string_view("[]{}:,").find(c) != std::string_view::npos) {
      refuse(Token::kPunctuation, c);
    } else if (c > ' ' && c < '\x7f') {
      words_ = fmt::format("invalid character '{}'", c);
    } else {
      words_ = fmt::format("invalid character U+{:04x}", static_cast<unsigned char>(c));
    }
  }

  void read_keyword() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_keyword_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word != "true" && word != "false" && word != "null") {
      words_ = fmt::format("invalid keyword '{}'", word);
    } else {
      refuse(Token::kOtherValue, 0);
    }
  }

  void read_number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_number_character(text_[at_])) ++at_;
    words_ = number_fault(text_.substr(begin, at_ - begin));
    if (words_.empty()) refuse(Token::kOtherValue, 0);
  }

  void read_string() {
    const std::size_t begin = ++at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c < 0x20) {
        words_ = fmt::format("U+{:04X} must be escaped in quoted string", c);
        return;
      }
      at_ += c == '\\' && at_ + 1 < text_.size() ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      words_ = "unexpected end of input in quoted string";
      return;
    }
    words_ = string_fault(text_.substr(begin, at_ - begin));
    if (words_.empty()) refuse(Token::kString, '"');
  }

  /// Says why the token may not be there.
  void refuse(Token token, char c) {
    const bool opens = c == '{' || c == '[';
    switch (fault_.expected) {
      case JsonExpected::kStart:
        if (!opens && (token == Token::kPunctuation || !fault_.any_value_starts)) {
          words_ = "syntax error at beginning of input";
          return;
        }
        break;
      case JsonExpected::kFirstKey:
      case JsonExpected::kKey:
        words_ = "syntax error parsing object expecting string";
        return;
      case JsonExpected::kColon:
        words_ = "syntax error parsing object expecting ':'";
        return;
      case JsonExpected::kFirstElement:
      case JsonExpected::kMemberValue:
      case JsonExpected::kElement:
        if (!opens) words_ = "syntax error expecting value";
        break;
      case JsonExpected::kMemberEnd:
        words_ = "syntax error expecting '}' or ','";
        return;
      case JsonExpected::kElementEnd:
        words_ = "syntax error expecting ']' or ','";
        return;
      case JsonExpected::kEnd:
        words_ = "trailing garbage at end of input";
        return;
    }
    if (opens && fault_.depth == kMostJsonDepth)
      words_ = fmt::format("input exceeds maximum nesting depth {}", kMostJsonDepth);
  }

  const std::string_view text_;
  const JsonFault& fault_;
  std::size_t at_;
  std::string words_;
};

}  // namespace

void JsonPlace::advance(std::string_view text) {
  byte += text.size();
  const std::size_t newline = text.rfind('\n');
  if (newline == std::string_view::npos) {
    column += text.size();
    return;
  }
  line += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  column = text.size() - newline - 1;
}

std::string describe_json_fault(std::string_view text, const JsonFault& fault) {
  return FaultDescriber(text, fault).describe();
}

}  // namespace tandem
