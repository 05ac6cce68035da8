#include "ocf/agent/decision/copy.h"

#include <fmt/core.h>

#include <array>

#include "replication/copy_order.h"

namespace tandem::agent {

namespace {

/// Of a copy of which both databases are known.
Copies copies_of(const Copy& copy) {
  Copies copies;
  for (const Which which : kBoth) {
    const Copy::Database& database = *copy.databases[which];
    copies.push_back({database.height, database.digest, database.in_sync});
  }
  return copies;
}

std::string text_of(const std::optional<Copy::Database>& database) {
  if (!database) return "- -";
  return fmt::format("{} {}", static_cast<std::uint64_t>(database->height.epoch),
                     database->height.index);
}

}  // namespace

Comparison compare(const Copy& a, const Copy& b) {
  if (!a.is_known() || !b.is_known()) return Comparison::kLevel;
  const Copies ours = copies_of(a);
  const Copies theirs = copies_of(b);
  switch (tandem::compare(ours, theirs)) {
    case CopyOrder::kAhead:
      return Comparison::kAhead;
    case CopyOrder::kBehind:
      return Comparison::kBehind;
    case CopyOrder::kEqual:
    case CopyOrder::kUnrelated:
      return Comparison::kLevel;
    case CopyOrder::kParted:
      break;
  }
  // Whichever stands first is chosen of two that differ in nothing that counts.
  const bool chosen_first = choose(std::array{ours, theirs})->index == 0;
  const bool chosen_second = choose(std::array{theirs, ours})->index == 1;
  if (chosen_first != chosen_second) return Comparison::kLevel;
  return chosen_first ? Comparison::kAhead : Comparison::kBehind;
}

std::string Copy::to_string() const {
  return fmt::format("nb {}, sb {}", text_of(databases[Which::kNb]),
                     text_of(databases[Which::kSb]));
}

}  // namespace tandem::agent
