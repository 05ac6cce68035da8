#include "server/session/row_lookup.h"

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

/// More changes while it is loaded are not waited for.
constexpr std::size_t kMostPending = 16'384;

}  // namespace

void RowLookup::load(const Row& row) { insert(row); }

void RowLookup::finish_loading() {
  ready_ = !loader_.expired();
  for (const RowChange& missed : std::exchange(pending_, {})) change(missed);
}

void RowLookup::change(const RowChange& change) {
  if (!ready_) {
    if (pending_.size() == kMostPending) {
      loader_.reset();
      pending_.clear();
    }
    if (!loader_.expired()) pending_.push_back(change);
    return;
  }
  if (change.before) erase(*change.before);
  if (change.after) insert(*change.after);
}

const RowLookup::Rows* RowLookup::find(std::size_t value_hash) const {
  static const Rows kNone;
  const Part& part = parts_[part_of(value_hash)];
  const auto found = part.find(value_hash);
  if (found == part.end()) return &kNone;
  return found->second.too_many ? nullptr : &found->second.rows;
}

void RowLookup::insert(const Row& row) {
  for_each_value_hash(row, column_, [&](std::size_t hash) {
    Entry& entry = parts_[part_of(hash)][hash];
    if (entry.too_many) return;
    entry.rows.push_back(&row);
    if (entry.rows.size() <= kMostRows) return;
    entry.too_many = true;
    entry.rows = {};
  });
}

void RowLookup::erase(const Row& row) {
  for_each_value_hash(row, column_, [&](std::size_t hash) {
    Part& part = parts_[part_of(hash)];
    const auto found = part.find(hash);
    if (found == part.end() || found->second.too_many) return;
    Rows& rows = found->second.rows;
    const auto at = std::find(rows.begin(), rows.end(), &row);
    if (at == rows.end()) return;
    *at = rows.back();
    rows.pop_back();
    if (rows.empty()) part.erase(found);
  });
}

}  // namespace tandem
