#include "server/session/condition_change.h"

#include <algorithm>
#include <utility>

#include "server/session/remains.h"
#include "server/session/update_text.h"

namespace tandem {

namespace {

constexpr std::size_t kRowsAtOnce = 8 * RowChunk::kRows;
constexpr std::size_t kBytesAtOnce = 64 << 10;

}  // namespace

ConditionChange::ConditionChange(std::string head, MonitorRequestRef before,
                                 MonitorRequestRef after, Snapshot snapshot,
                                 std::vector<Table> tables, std::shared_ptr<const void> loader,
                                 std::shared_ptr<const void> unfinished)
    : head_(std::move(head)),
      before_(std::move(before)),
      after_(std::move(after)),
      snapshot_(std::move(snapshot)),
      tables_(std::move(tables)),
      loader_(std::move(loader)),
      unfinished_(std::move(unfinished)),
      writer_(*after_, text_) {}

std::unique_ptr<Remains> ConditionChange::remains() { return remains_of(snapshot_); }

SharedText ConditionChange::next() {
  while (table_ < tables_.size()) {
    if (compare_some(tables_[table_])) return written();
    for (const auto& lookup : tables_[table_].lookups) lookup->finish_loading();
    ++table_;
    at_ = 0;
  }
  if (std::exchange(ended_, true) || writer_.empty()) return nullptr;
  writer_.end();
  text_ += kEndOfUpdate;
  return written();
}

bool ConditionChange::compare_some(Table& table) {
  const std::vector<ChunkRef>& chunks =
      snapshot_.tables[after_->tables[table.place].table].chunks();
  const std::size_t end = table.rows ? table.rows->size() : chunks.size();
  if (at_ == end) return false;
  for (std::size_t rows = 0; at_ < end && rows < kRowsAtOnce && text_.size() < kBytesAtOnce;
       ++at_) {
    if (table.rows) {
      compare(table, *(*table.rows)[at_]);
      ++rows;
      continue;
    }
    for (const RowRef& row : chunks[at_]->rows) {
      if (!row) continue;
      for (const auto& lookup : table.lookups) lookup->load(*row);
      compare(table, *row);
    }
    rows += RowChunk::kRows;
  }
  return true;
}

void ConditionChange::compare(const Table& table, const Row& row) {
  const bool was = before_->tables[table.place].condition.matches(row);
  const bool is = after_->tables[table.place].condition.matches(row);
  if (was == is) return;
  writer_.visible_change(after_->tables[table.place], was ? &row : nullptr, is ? &row : nullptr);
}

SharedText ConditionChange::written() {
  if (writer_.empty()) return shared_text("");
  return shared_text(std::exchange(head_, {}) + std::exchange(text_, {}));
}

}  // namespace tandem
