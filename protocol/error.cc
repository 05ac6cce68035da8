#include "protocol/error.h"

#include <ostream>
#include <stdexcept>
#include <utility>

#include "protocol/json_excerpt.h"

namespace tandem {

json::object Error::to_json() const {
  json::object object;
  object.emplace("error", tag);
  if (!details.empty()) object.emplace("details", details);
  if (syntax) object.emplace("syntax", *syntax);
  if (io_error) object.emplace("io-error", *io_error);
  return object;
}

std::string Error::to_string() const {
  std::string text;
  if (syntax) text = "syntax \"" + *syntax + "\": ";
  text += tag;
  if (!details.empty()) text += ": " + details;
  if (io_error) text += " (" + *io_error + ")";
  return text;
}

std::ostream& operator<<(std::ostream& out, const Error& error) { return out << error.to_string(); }

Error syntax_error(const json::value* where, std::string details) {
  return {"syntax error", std::move(details),
          where ? std::optional<std::string>(json_excerpt(*where)) : std::nullopt};
}

Error syntax_error_text(std::string syntax, std::string details) {
  return {"syntax error", std::move(details), std::move(syntax)};
}

Error constraint_violation(std::string details) {
  return {"constraint violation", std::move(details), std::nullopt};
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.to_string());
}

}  // namespace tandem
