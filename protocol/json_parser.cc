#include "protocol/json_parser.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "protocol/json_fault.h"

namespace tandem {

namespace {

/// The integer that a JSON number denotes, if it has no fraction and fits.
std::optional<std::int64_t> exact_integer(std::string_view text) {
  const bool negative = text.front() == '-';
  if (negative) text.remove_prefix(1);

  std::string digits;
  std::int64_t exponent = 0;
  const std::size_t exponent_at = text.find_first_of("eE");
  if (exponent_at != std::string_view::npos) {
    std::string_view digits_of_exponent = text.substr(exponent_at + 1);
    if (digits_of_exponent.starts_with('+')) digits_of_exponent.remove_prefix(1);
    const auto* end = digits_of_exponent.data() + digits_of_exponent.size();
    if (std::from_chars(digits_of_exponent.data(), end, exponent).ec != std::errc())
      return std::nullopt;
    text = text.substr(0, exponent_at);
  }
  for (const char c : text) {
    if (c != '.') digits += c;
  }
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    exponent -= static_cast<std::int64_t>(text.size() - dot - 1);
  }

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
  std::int64_t value = 0;
  const auto* end = digits.data() + digits.size();
  if (std::from_chars(digits.data(), end, value).ec != std::errc()) return std::nullopt;
  return value;
}

/// Builds the value from the parser's events. What sets it apart from Boost's own: numbers are read
/// exactly, and NUL characters in strings are errors.
class Handler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Handler() { restart({}); }

  void restart(json::storage_ptr memory) {
    stack_.reset(std::move(memory));
    number_.clear();
  }
  json::value release() { return stack_.release(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) {
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code& ec) {
    if (!is_text(part, ec)) return false;
    stack_.push_chars(part);
    return true;
  }
  bool on_key(json::string_view rest, std::size_t, json::error_code& ec) {
    if (!is_text(rest, ec)) return false;
    stack_.push_key(rest);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code& ec) {
    if (!is_text(part, ec)) return false;
    stack_.push_chars(part);
    return true;
  }
  bool on_string(json::string_view rest, std::size_t, json::error_code& ec) {
    if (!is_text(rest, ec)) return false;
    stack_.push_string(rest);
    return true;
  }
  bool on_number_part(json::string_view part, json::error_code&) {
    number_ += part;
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
    stack_.push_int64(value);
    number_.clear();
    return true;
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
    stack_.push_double(static_cast<double>(value));  // larger than any int64
    number_.clear();
    return true;
  }
  bool on_double(double rough, json::string_view rest, json::error_code& ec) {
    number_ += rest;
    if (const auto integer = exact_integer(number_)) {
      stack_.push_int64(*integer);
    } else {
      double value = 0;
      const auto read = std::from_chars(number_.data(), number_.data() + number_.size(), value);
      if (read.ec == std::errc::result_out_of_range && std::fabs(rough) > 1) {
        ec = json::error::exponent_overflow;
        return false;
      }
      stack_.push_double(value);
    }
    number_.clear();
    return true;
  }
  bool on_bool(bool value, json::error_code&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(json::error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  static bool is_text(std::string_view text, json::error_code& ec) {
    if (text.find('\0') == std::string_view::npos) return true;
    ec = json::error::syntax;
    return false;
  }

  json::value_stack stack_;
  std::string number_;  ///< of the number that is being read, what came in earlier parts
};

json::parse_options options() {
  json::parse_options options;
  options.max_depth = 1000;
  options.allow_invalid_utf8 = true;
  return options;
}

}  // namespace

struct JsonParser::State {
  json::basic_parser<Handler> parser{options()};
};

JsonParser::JsonParser() : state_(std::make_unique<State>()) {}
JsonParser::~JsonParser() = default;
JsonParser::JsonParser(JsonParser&&) noexcept = default;
JsonParser& JsonParser::operator=(JsonParser&&) noexcept = default;

std::size_t JsonParser::write(std::string_view text, json::error_code& ec) {
  return state_->parser.write_some(true, text.data(), text.size(), ec);
}

void JsonParser::finish(json::error_code& ec) { state_->parser.write_some(false, nullptr, 0, ec); }

bool JsonParser::done() const { return state_->parser.done(); }

json::value JsonParser::release() {
  json::value value = state_->parser.handler().release();
  reset();
  return value;
}

void JsonParser::reset(json::storage_ptr memory) {
  state_->parser.reset();
  state_->parser.handler().restart(std::move(memory));
}

Result<json::value> parse_json(std::string_view text) {
  json::basic_parser<Handler> parser(options());
  json::error_code ec;
  const std::size_t end = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && text.find_first_not_of(" \t\r\n", end) != std::string_view::npos)
    ec = json::error::extra_data;
  if (ec) {
    std::string fault = describe_json_fault(text);
    if (fault.empty()) fault = fmt::format("byte {}: {}", end, ec.message());
    return Error{"syntax error", std::move(fault), std::nullopt};
  }
  return parser.handler().release();
}

}  // namespace tandem
