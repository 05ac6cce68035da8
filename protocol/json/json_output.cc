#include "protocol/json/json_output.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "protocol/hex.h"
#include "protocol/json/json_lexer.h"

namespace tandem {

namespace {

constexpr std::array<bool, 256> kNeedsEscape = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\b':
      out += "\\b";
      break;
    case '\f':
      out += "\\f";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHexDigits[static_cast<unsigned char>(c) >> 4];
      out += kHexDigits[static_cast<unsigned char>(c) & 15];
  }
}

constexpr int kShownDigits = 15;

/// Prints `value` to `text` and returns where it ends.
char* print_real(std::array<char, 40>& text, double value, int digits) {
  // More digits must not turn an exponent into a number that looks like an integer.
  const bool exponent = digits > kShownDigits && std::abs(value) >= 1e15;
  char* const begin = text.data();
  char* const end = begin + text.size();
  return exponent ? std::to_chars(begin, end, value, std::chars_format::scientific, digits - 1).ptr
                  : std::to_chars(begin, end, value, std::chars_format::general, digits).ptr;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kNeedsEscape[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, done, i - done);
    append_escaped(out, text[i]);
    done = i + 1;
  }
  out.append(text, done);
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_json_integer(std::string& out, std::int64_t value) {
  std::array<char, 24> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out.append(text.data(), end);
}

void append_json_real(std::string& out, double value) {
  std::array<char, 40> text;
  out.append(text.data(), print_real(text, value, kShownDigits));
}

void append_exact_json_real(std::string& out, double value) {
  std::array<char, 40> text;
  char* end = nullptr;
  for (int digits = kShownDigits; digits <= 17; ++digits) {
    end = print_real(text, value, digits);
    double back = 0;
    std::from_chars(text.data(), end, back);
    if (back == value) break;
  }
  out.append(text.data(), end);
}

namespace {

void append_number(std::string& out, std::string_view number, Reals reals) {
  if (const auto integer = exact_integer(number)) {
    append_json_integer(out, *integer);
  } else if (reals == Reals::kExact) {
    append_exact_json_real(out, nearest_real(number));
  } else {
    append_json_real(out, nearest_real(number));
  }
}

void append_string_until(std::string& out, std::string_view text, std::size_t end) {
  append_json_string(out, text.substr(0, end - std::min(end, out.size())));
}

void append_array(std::string& out, JsonView array, Reals reals, std::size_t end) {
  out += '[';
  bool first = true;
  for (const JsonView element : array.elements()) {
    if (out.size() >= end) break;
    if (!first) out += ',';
    first = false;
    append_json(out, element, reals, end);
  }
  out += ']';
}

void append_object(std::string& out, JsonView object, Reals reals, std::size_t end) {
  out += '{';
  bool first = true;
  for (const JsonMember& member : sorted_members(object)) {
    if (out.size() >= end) break;
    if (!first) out += ',';
    first = false;
    append_string_until(out, member.name, end);
    out += ':';
    append_json(out, member.value, reals, end);
  }
  out += '}';
}

}  // namespace

void append_json(std::string& out, JsonView value, Reals reals, std::size_t end) {
  switch (value.kind()) {
    case JsonKind::kNull:
      out += "null";
      break;
    case JsonKind::kBoolean:
      out += value.get_bool() ? "true" : "false";
      break;
    case JsonKind::kNumber:
      append_number(out, value.number_text(), reals);
      break;
    case JsonKind::kString:
      append_string_until(out, value.get_string(), end);
      break;
    case JsonKind::kArray:
      append_array(out, value, reals, end);
      break;
    case JsonKind::kObject:
      append_object(out, value, reals, end);
      break;
  }
}

std::string to_text(JsonView value) {
  std::string text;
  append_json(text, value);
  return text;
}

std::string cut_excerpt(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text += "...";
}

std::string json_excerpt(JsonView value, std::size_t most) {
  std::string text;
  append_json(text, value, Reals::kShown, most);
  return cut_excerpt(std::move(text), most);
}

}  // namespace tandem
