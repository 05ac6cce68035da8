#include "server/storage/damage.h"

#include <fmt/core.h>

#include <sstream>

namespace tandem::storage {

std::string Damage::to_string() const {
  return fmt::format(
      "the file {} damaged at offset {}, in record {}, with {} bytes and {} whole records behind "
      "that ({}){}",
      kept_as.empty() ? "is" : "was", offset, record, bytes, whole_behind, error.to_string(),
      kept_as.empty() ? "" : ", and has not got back what it lost");
}

std::string Damage::to_mark() const {
  return fmt::format("{} {} {} {}\n{}\n{}\n", offset, bytes, record, whole_behind, kept_as,
                     error.to_string());
}

Damage Damage::from_mark(std::string_view text) {
  Damage damage;
  std::istringstream lines{std::string(text)};
  std::string rest;
  lines >> damage.offset >> damage.bytes >> damage.record >> damage.whole_behind;
  std::getline(lines, rest);
  std::getline(lines, damage.kept_as);
  std::getline(lines, damage.error.tag);
  if (damage.kept_as.empty()) damage.kept_as = "?";
  return damage;
}

}  // namespace tandem::storage
