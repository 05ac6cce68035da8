#pragma once

#include <string_view>

#include "protocol/json/json_output.h"

namespace tandem {

/// Is this error of a reply of that name: the member "error" of an <error> (RFC 7047 section 3.1),
/// or the plain string that some methods answer?
inline bool is_error(JsonView error, std::string_view name) {
  if (error.is_string()) return error.get_string() == name;
  const JsonView tag = error.find("error");
  return tag.is_string() && tag.get_string() == name;
}

}  // namespace tandem
