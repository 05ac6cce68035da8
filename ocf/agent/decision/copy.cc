#include "ocf/agent/decision/copy.h"

#include <fmt/core.h>

#include <array>

#include "replication/copy_order.h"

namespace tandem::agent {

namespace {

tandem::Copy copy_of(const Copy::Database& database) {
  return {database.height, database.digest, database.in_sync};
}

/// Of a copy of which both databases are known.
Copies copies_of(const Copy& copy) {
  Copies copies;
  for (const Which which : kBoth) copies.push_back(copy_of(*copy.databases[which]));
  return copies;
}

std::string text_of(const std::optional<Copy::Database>& database) {
  if (!database) return "- -";
  return fmt::format("{} {}", static_cast<std::uint64_t>(database->height.epoch),
                     database->height.index);
}

}  // namespace

bool is_better(const Copy& a, const Copy& b) {
  if (!a.is_known() || !b.is_known()) return false;
  const Copies ours = copies_of(a);
  const Copies theirs = copies_of(b);
  switch (compare(ours, theirs)) {
    case CopyOrder::kAhead:
      return true;
    case CopyOrder::kBehind:
    case CopyOrder::kEqual:
    case CopyOrder::kUnrelated:
      return false;
    case CopyOrder::kParted:
      break;
  }
  // Of two that differ in nothing that counts the one that stands first is chosen.
  return choose(std::array{theirs, ours})->index == 1;
}

bool has_all_of(const Copy& a, const Copy& b) {
  return !a.is_known() || !b.is_known() || tandem::has_all_of(copies_of(a), copies_of(b));
}

bool has_all_of(const Copy& a, const Copy& b, Which which) {
  const auto& ours = a.databases[which];
  const auto& theirs = b.databases[which];
  return ours && theirs && tandem::has_all_of({copy_of(*ours)}, {copy_of(*theirs)});
}

std::string Copy::to_string() const {
  return fmt::format("nb {}, sb {}", text_of(databases[Which::kNb]),
                     text_of(databases[Which::kSb]));
}

}  // namespace tandem::agent
