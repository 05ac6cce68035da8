#pragma once

#include <string_view>

#include "protocol/json.h"

namespace tandem {

/// Is this error of a reply of that name: the member "error" of an <error> (RFC 7047 section 3.1),
/// or the plain string that some methods answer?
inline bool is_error(const json::value& error, std::string_view name) {
  if (error.is_string()) return std::string_view(error.get_string()) == name;
  const json::value* tag = error.is_object() ? error.get_object().if_contains("error") : nullptr;
  return tag != nullptr && tag->is_string() && std::string_view(tag->get_string()) == name;
}

}  // namespace tandem
