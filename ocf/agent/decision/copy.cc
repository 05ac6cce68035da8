#include "ocf/agent/decision/copy.h"

#include <fmt/core.h>

namespace tandem::agent {

namespace {

/// One database. Indexes of epoch 0 were counted by each server for itself, so such copies are
/// level, except that an empty one is behind one with contents.
Comparison compare(const Copy::Database& a, const Copy::Database& b) {
  const auto by = [](auto left, auto right) {
    return left > right   ? Comparison::kAhead
           : left < right ? Comparison::kBehind
                          : Comparison::kLevel;
  };
  if (a.height.epoch != b.height.epoch) return by(a.height.epoch, b.height.epoch);
  if (a.height.epoch == Epoch{}) return by(a.height.index > 0 ? 1 : 0, b.height.index > 0 ? 1 : 0);
  return by(a.height.index, b.height.index);
}

std::string text_of(const std::optional<Copy::Database>& database) {
  if (!database) return "- -";
  return fmt::format("{} {}", static_cast<std::uint64_t>(database->height.epoch),
                     database->height.index);
}

}  // namespace

Comparison compare(const Copy& a, const Copy& b) {
  Pair<Comparison> order;
  for (const Which which : kBoth) {
    const auto& left = a.databases[which];
    const auto& right = b.databases[which];
    order[which] = left && right ? compare(*left, *right) : Comparison::kLevel;
  }
  const Comparison nb = order[Which::kNb];
  const Comparison sb = order[Which::kSb];
  if (nb == sb) return nb;
  if (a.is_whole() && !b.is_whole() && (nb == Comparison::kAhead || sb == Comparison::kAhead))
    return Comparison::kAhead;
  if (b.is_whole() && !a.is_whole() && (nb == Comparison::kBehind || sb == Comparison::kBehind))
    return Comparison::kBehind;
  if (a.is_whole() != b.is_whole()) return Comparison::kLevel;
  return nb != Comparison::kLevel ? nb : sb;
}

std::string Copy::to_string() const {
  return fmt::format("nb {}, sb {}", text_of(databases[Which::kNb]),
                     text_of(databases[Which::kSb]));
}

}  // namespace tandem::agent
