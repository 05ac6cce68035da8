#include "protocol/json.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "protocol/hex.h"
#include "protocol/json_excerpt.h"

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

/// As append_json(), but what would begin behind `end` is left out.
void append_until(std::string& out, const json::value& value, std::size_t end);

void append_string_until(std::string& out, std::string_view text, std::size_t end) {
  append_json_string(out, text.substr(0, end - std::min(end, out.size())));
}

void append_object(std::string& out, const json::object& object, std::size_t end) {
  std::vector<const json::key_value_pair*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  out += '{';
  bool first = true;
  for (const auto* member : members) {
    if (out.size() >= end) break;
    if (!first) out += ',';
    first = false;
    append_string_until(out, member->key(), end);
    out += ':';
    append_until(out, member->value(), end);
  }
  out += '}';
}

void append_array(std::string& out, const json::array& array, std::size_t end) {
  out += '[';
  bool first = true;
  for (const auto& element : array) {
    if (out.size() >= end) break;
    if (!first) out += ',';
    first = false;
    append_until(out, element, end);
  }
  out += ']';
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

void append_until(std::string& out, const json::value& value, std::size_t end) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      break;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case json::kind::int64:
      append_json_integer(out, value.get_int64());
      break;
    case json::kind::uint64:
      append_json_real(out, static_cast<double>(value.get_uint64()));
      break;
    case json::kind::double_:
      append_json_real(out, value.get_double());
      break;
    case json::kind::string:
      append_string_until(out, value.get_string(), end);
      break;
    case json::kind::array:
      append_array(out, value.get_array(), end);
      break;
    case json::kind::object:
      append_object(out, value.get_object(), end);
      break;
  }
}

}  // namespace

void append_json(std::string& out, const json::value& value) {
  append_until(out, value, std::string::npos);
}

std::string to_text(const json::value& value) {
  std::string text;
  append_json(text, value);
  return text;
}

std::string json_excerpt(const json::value& value, std::size_t most) {
  std::string text;
  append_until(text, value, most);
  if (text.size() <= most) return text;
  // Not in the middle of a character (UTF-8).
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text += "...";
}

bool as_integer(const json::value& value, std::int64_t& out) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  switch (value.kind()) {
    case json::kind::int64:
      out = value.get_int64();
      return true;
    case json::kind::uint64:
      if (value.get_uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return false;
      out = static_cast<std::int64_t>(value.get_uint64());
      return true;
    case json::kind::double_: {
      const double real = value.get_double();
      if (!(real >= -kTwoTo63 && real < kTwoTo63) || real != std::trunc(real)) return false;
      out = static_cast<std::int64_t>(real);
      return true;
    }
    case json::kind::null:
    case json::kind::bool_:
    case json::kind::string:
    case json::kind::array:
    case json::kind::object:
      return false;
  }
  return false;
}

}  // namespace tandem
