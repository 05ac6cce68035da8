#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace tandem {

namespace json = boost::json;

/// Appends `text` as a JSON string with quotes, escaped as ovsdb-server does: \b \f \n \r \t \"
/// \\ and \u00XX for other control characters; everything else as it is.
void append_json_string(std::string& out, std::string_view text);

/// Appends `value` as ovsdb-server prints reals: 15 significant digits, in C's %g form. Some values
/// need more to be read back.
void append_json_real(std::string& out, double value);

/// Appends `value` so that it is read back as it is: as above, with more digits where it needs
/// them.
void append_exact_json_real(std::string& out, double value);

void append_json_integer(std::string& out, std::int64_t value);

/// Appends `value` compactly, with the members of objects sorted by name.
void append_json(std::string& out, const json::value& value);

std::string to_text(const json::value& value);

/// An integer, or a real that has no fraction and fits: how OVSDB reads JSON numbers (RFC 7047
/// section 3.1). Returns false if `value` is not such a number.
bool as_integer(const json::value& value, std::int64_t& out);

}  // namespace tandem
