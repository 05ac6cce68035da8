#include "protocol/error.h"

#include <ostream>
#include <stdexcept>
#include <utility>

#include "protocol/json/member_writer.h"

namespace tandem {

void Error::append_json(std::string& out) const {
  out += '{';
  MemberWriter members(out);
  append_members(members);
  out += '}';
}

void Error::append_members(MemberWriter& members) const {
  if (!details.empty()) members.string("details", details);
  members.string("error", tag);
  if (io_error) members.string("io-error", *io_error);
  if (syntax) members.string("syntax", *syntax);
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

Error syntax_error(JsonView where, std::string details) {
  return {"syntax error", std::move(details),
          where ? std::optional<std::string>(json_excerpt(where)) : std::nullopt};
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
