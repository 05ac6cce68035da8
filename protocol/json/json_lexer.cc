#include "protocol/json/json_lexer.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tandem {

namespace {

constexpr std::size_t kUnitLength = 4;
constexpr std::size_t kEscapeLength = 2 + kUnitLength;  // \uXXXX

/// The four digits of a \u escape at the front of `text`.
EscapeFault read_unit(std::string_view text, unsigned& unit) {
  unit = 0;
  const std::string_view digits = text.substr(0, kUnitLength);
  for (const char c : digits) {
    const char lower = static_cast<char>(c | 0x20);
    if (!is_json_digit(c) && (lower < 'a' || lower > 'f')) return EscapeFault::kMalformed;
    unit = unit * 16 + static_cast<unsigned>(is_json_digit(c) ? c - '0' : lower - 'a' + 10);
  }
  return digits.size() < kUnitLength ? EscapeFault::kIncomplete : EscapeFault::kNone;
}

void append_utf8(std::string& out, unsigned point) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((point >> shift) & 0x3fU));
  };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0U | (point >> 6));
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0U | (point >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (point >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// \uXXXX, or two of them that are one character.
EscapeFault take_unicode(std::string_view& text, std::string& out) {
  unsigned point = 0;
  EscapeFault fault = read_unit(text.substr(2), point);
  if (fault != EscapeFault::kNone) return fault;
  if (point == 0) return EscapeFault::kNull;
  std::string_view rest = text.substr(kEscapeLength);
  if (point >= 0xd800 && point <= 0xdbff) {
    if (rest.substr(0, 2) != std::string_view("\\u").substr(0, rest.size()))
      return EscapeFault::kNoPair;
    if (rest.size() < 2) return EscapeFault::kIncomplete;
    unsigned trailing = 0;
    fault = read_unit(rest.substr(2), trailing);
    if (fault != EscapeFault::kNone) return fault;
    if (trailing < 0xdc00 || trailing > 0xdfff) return EscapeFault::kNotTrailing;
    point = 0x10000 + ((point - 0xd800) << 10) + (trailing - 0xdc00);
    rest.remove_prefix(kEscapeLength);
  }
  append_utf8(out, point);
  text = rest;
  return EscapeFault::kNone;
}

bool is_simple(std::string_view number) { return number.find_first_of(".eE") == number.npos; }

template <class Number>
std::errc read_all(std::string_view text, Number& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure;
}

}  // namespace

EscapeFault take_escape(std::string_view& text, std::string& out) {
  if (text.size() < 2) return EscapeFault::kIncomplete;
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text[1] == 'u') return take_unicode(text, out);
  const std::size_t kind = kEscapes.find(text[1]);
  if (kind == std::string_view::npos) return EscapeFault::kUnknown;
  out += kMeanings[kind];
  text.remove_prefix(2);
  return EscapeFault::kNone;
}

bool append_unescaped(std::string& out, std::string_view raw) {
  while (!raw.empty()) {
    const char* const end = raw.data() + raw.size();
    const char* const at = find_in_string(raw.data(), end);
    out.append(raw.data(), at);
    raw = {at, end};
    if (at == end) return true;
    if (*at != '\\' || take_escape(raw, out) != EscapeFault::kNone) return false;
  }
  return true;
}

NumberRange range_of_number(std::string_view number) {
  constexpr std::int64_t kMostExponent = 2'147'483'639;  // that ovsdb-server takes
  if (const std::size_t e = number.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t exponent = 0;
    if (read_all(digits, exponent) != std::errc() || std::abs(exponent) > kMostExponent)
      return NumberRange::kExponent;
  }
  double value = 0;
  if (read_all(number, value) == std::errc::result_out_of_range) {
    // Too small counts as zero; std::from_chars() does not tell it from too large.
    value = std::strtod(std::string(number).c_str(), nullptr);
  }
  // ovsdb-server could not read a file with a subnormal one.
  const bool is_read = std::isfinite(value) && std::fpclassify(value) != FP_SUBNORMAL;
  return is_read ? NumberRange::kFine : NumberRange::kNumber;
}

std::optional<std::int64_t> exact_integer(std::string_view number) {
  std::int64_t value = 0;
  if (is_simple(number)) {
    if (read_all(number, value) != std::errc()) return std::nullopt;
    return value;
  }
  const bool negative = number.front() == '-';
  if (negative) number.remove_prefix(1);

  std::string digits;
  std::int64_t exponent = 0;
  const std::size_t exponent_at = number.find_first_of("eE");
  if (exponent_at != std::string_view::npos) {
    std::string_view digits_of_exponent = number.substr(exponent_at + 1);
    if (digits_of_exponent.starts_with('+')) digits_of_exponent.remove_prefix(1);
    if (read_all(digits_of_exponent, exponent) != std::errc()) return std::nullopt;
    number = number.substr(0, exponent_at);
  }
  for (const char c : number) {
    if (c != '.') digits += c;
  }
  if (const std::size_t dot = number.find('.'); dot != std::string_view::npos)
    exponent -= static_cast<std::int64_t>(number.size() - dot - 1);

  while (digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits == "0") return 0;
  constexpr std::int64_t kMostDigits = 19;
  if (exponent < 0 || exponent > kMostDigits) return std::nullopt;
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (negative) digits.insert(0, 1, '-');
  if (read_all(digits, value) != std::errc()) return std::nullopt;
  return value;
}

double nearest_real(std::string_view number) {
  double value = 0;
  read_all(number, value);
  return value == 0 ? 0 : value;  // there is no negative zero, since OVSDB takes it for an integer
}

bool read_integer(std::string_view number, std::int64_t& out) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (const auto integer = exact_integer(number)) {
    out = *integer;
    return true;
  }
  const double real = nearest_real(number);
  // No zero comes here but what is too small for a real.
  if (!(real >= -kTwoTo63 && real < kTwoTo63) || real != std::trunc(real) || real == 0)
    return false;
  out = static_cast<std::int64_t>(real);
  return true;
}

}  // namespace tandem
