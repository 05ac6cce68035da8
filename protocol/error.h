#pragma once

#include <boost/system/result.hpp>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/json/json_output.h"

namespace tandem {

class MemberWriter;

/// An OVSDB error as a value: RFC 7047 section 3.1 <error>, with the "syntax" member of
/// ovsdb-server(7).
struct Error {
  std::string tag;      ///< short, from RFC 7047 or ovsdb-server(7): "constraint violation"
  std::string details;  ///< for a person
  std::optional<std::string> syntax;                   ///< the offending JSON as text, keys sorted
  std::optional<std::string> io_error = std::nullopt;  ///< of an "I/O error": the text of its errno

  /// The object that goes on the wire: {"details", "error", "io-error", "syntax"}; empty details
  /// are left out.
  void append_json(std::string& out) const;
  /// Its members, for an object that has others, too.
  void append_members(MemberWriter& members) const;
  /// One line for logs and command line: `syntax "X": tag: details (io_error)`.
  std::string to_string() const;

  bool operator==(const Error&) const = default;
};

/// Prints to_string().
std::ostream& operator<<(std::ostream& out, const Error& error);

/// A value, or the OVSDB error that stands in its place.
template <class T>
using Result = boost::system::result<T, Error>;

/// "syntax error" with `where` as the offending JSON (absent: no syntax member).
Error syntax_error(JsonView where, std::string details);
/// "syntax error" whose offending JSON is already text.
Error syntax_error_text(std::string syntax, std::string details);
Error constraint_violation(std::string details);

/// Called by Result<T>::value() on an error; only start-up code and tests use value().
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

}  // namespace tandem
