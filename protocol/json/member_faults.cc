#include "protocol/json/member_faults.h"

#include <fmt/core.h>

namespace tandem {

std::string missing_member(std::string_view name) {
  return fmt::format("Required '{}' member is missing.", name);
}

std::string mistyped_member(std::string_view name) {
  return fmt::format("Type mismatch for member '{}'.", name);
}

std::string superfluous_members(std::string_view first, std::size_t count) {
  if (count == 1) return fmt::format("Member '{}' is present but not allowed here.", first);
  return fmt::format("Member '{}' and {} other member{} are present but not allowed here.", first,
                     count - 1, count == 2 ? "" : "s");
}

}  // namespace tandem
