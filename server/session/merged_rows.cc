#include "server/session/merged_rows.h"

#include <algorithm>

namespace tandem {

bool MergedRows::Later::operator()(const Source& a, const Source& b) const {
  const Uuid& uuid_a = (*a.next)->first;
  const Uuid& uuid_b = (*b.next)->first;
  return uuid_a == uuid_b ? b.part < a.part : uuid_b < uuid_a;
}

MergedRows::MergedRows(const NetParts& parts, TableIndex table) : parts_(parts), table_(table) {
  if (parts_.size() != 1) return;
  rows_ = parts_.front()->find(table_);
  if (rows_ != nullptr) row_ = rows_->begin();
}

std::optional<MergedRows::Change> MergedRows::next_of_one() {
  ended_ = rows_ == nullptr || row_ == rows_->end();
  if (ended_) return std::nullopt;
  const RowChange& change = (row_++)->second;
  return Change{change.before.get(), change.after.get()};
}

std::optional<MergedRows::Change> MergedRows::next(std::size_t& budget) {
  if (parts_.size() == 1) {
    --budget;
    return next_of_one();
  }
  if (!sort_some(budget)) return std::nullopt;
  budget -= std::min<std::size_t>(budget, 1);
  ended_ = sources_.empty();
  if (ended_) return std::nullopt;
  const auto& [uuid, first] = take();
  Change change{first.before.get(), first.after.get()};
  while (!sources_.empty() && (*sources_.front().next)->first == uuid) {
    change.after = take().second.after.get();
    budget -= std::min<std::size_t>(budget, 1);
  }
  return change;
}

bool MergedRows::sort_some(std::size_t& budget) {
  if (sorted_ == parts_.size()) return true;
  for (; sorted_ < parts_.size(); ++sorted_) {
    if (budget == 0) return false;
    const auto* rows = parts_[sorted_]->sorted(table_, budget);
    if (rows == nullptr) return false;
    budget -= std::min<std::size_t>(budget, 1);
    if (!rows->empty()) sources_.push_back({rows->begin(), rows->end(), sorted_});
  }
  std::make_heap(sources_.begin(), sources_.end(), Later());
  return true;
}

const NetChanges::Rows::value_type& MergedRows::take() {
  std::pop_heap(sources_.begin(), sources_.end(), Later());
  Source& source = sources_.back();
  const NetChanges::Rows::value_type& row = **source.next++;
  if (source.next == source.end) {
    sources_.pop_back();
  } else {
    std::push_heap(sources_.begin(), sources_.end(), Later());
  }
  return row;
}

}  // namespace tandem
