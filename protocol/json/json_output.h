#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/json/json_document.h"

namespace tandem {

/// Appends `text` as a JSON string with quotes, escaped as ovsdb-server does: \b \f \n \r \t \"
/// \\ and \u00XX for other control characters; everything else as it is.
void append_json_string(std::string& out, std::string_view text);
/// The same as a text of its own.
std::string json_string(std::string_view text);

/// Appends `value` as ovsdb-server prints reals: 15 significant digits, in C's %g form. Some values
/// need more to be read back.
void append_json_real(std::string& out, double value);

/// Appends `value` so that it is read back as it is: as above, with more digits where it needs
/// them.
void append_exact_json_real(std::string& out, double value);

void append_json_integer(std::string& out, std::int64_t value);

/// How reals are printed.
enum class Reals : std::uint8_t {
  kShown,  ///< as clients of ovsdb-server know them, append_json_real()
  kExact,  ///< for what is read back as data, append_exact_json_real()
};

/// Appends `value` compactly, with the members of objects sorted by name. What would begin when
/// `out` has `end` bytes is left out.
void append_json(std::string& out, JsonView value, Reals reals = Reals::kShown,
                 std::size_t end = std::string::npos);

std::string to_text(JsonView value);

/// The text of anything that can append itself as JSON.
template <class Value>
requires requires(const Value& value, std::string& out) { value.append_json(out); }
std::string to_text(const Value& value) {
  std::string text;
  value.append_json(text);
  return text;
}

/// Errors show so much of what they are about.
constexpr std::size_t kMostSyntax = std::size_t{64} << 10;

/// Cuts a text that is longer than `most` bytes, and not in the middle of a character (UTF-8).
std::string cut_excerpt(std::string text, std::size_t most = kMostSyntax);

/// The text of `value`, cut off after about `most` bytes; costs no more than these.
std::string json_excerpt(JsonView value, std::size_t most = kMostSyntax);

}  // namespace tandem
