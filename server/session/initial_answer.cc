#include "server/session/initial_answer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "server/session/remains.h"
#include "server/session/update_text.h"

namespace tandem {

namespace {

/// So many chunks without a row that matches are searched in one go.
constexpr std::size_t kChunksPerTurn = 32;

std::string encode(const MonitorRequest& request, const MonitoredTable& table,
                   std::span<const RowRef> rows) {
  std::string text;
  UpdateWriter writer(request, table, text);
  for (const RowRef& row : rows) {
    if (row && table.condition.matches(*row)) writer.initial(table, *row);
  }
  return text;
}

}  // namespace

bool TableTexts::serves(const MonitorRequest& request, const MonitoredTable& table) const {
  // Updates of the second version and the third look the same.
  const bool differences = request.version != MonitorVersion::kUpdate;
  return schema_ == request.schema && differences == (version_ != MonitorVersion::kUpdate) &&
         table_.table == table.table && table_.columns == table.columns;
}

SharedText TableTexts::rows(std::size_t index, const ChunkRef& chunk, const MonitorRequest& request,
                            const MonitoredTable& table, bool kept) {
  if (index < entries_.size() && entries_[index].chunk == chunk) {
    const SharedText text = entries_[index].text;
    if (!kept) entries_[index] = {};
    return text;
  }
  const SharedText text = shared_text(encode(request, table, chunk->rows));
  if (kept) {
    if (index >= entries_.size()) entries_.resize(index + 1);
    entries_[index] = {chunk, text};
  }
  return text;
}

std::shared_ptr<TableTexts> TextLibrary::texts(const MonitorRequest& request,
                                               const MonitoredTable& table) {
  std::erase_if(texts_, [](const auto& texts) { return texts.expired(); });
  for (const std::weak_ptr<TableTexts>& held : texts_) {
    std::shared_ptr<TableTexts> texts = held.lock();
    if (texts->serves(request, table)) return texts;
  }
  auto texts = std::make_shared<TableTexts>(request, table);
  texts_.push_back(texts);
  return texts;
}

InitialAnswer::InitialAnswer(std::string head, MonitorRequestRef request, Snapshot snapshot,
                             FoundRows found, std::string tail, TextLibrary& library,
                             std::shared_ptr<const void> unfinished)
    : head_(std::move(head)),
      request_(std::move(request)),
      snapshot_(std::move(snapshot)),
      found_(std::move(found)),
      tail_(std::move(tail)),
      unfinished_(std::move(unfinished)) {
  found_.resize(request_->tables.size());
  for (const MonitoredTable& table : request_->tables)
    texts_.push_back(table.condition.is_always() ? library.texts(*request_, table) : nullptr);
}

std::unique_ptr<Remains> InitialAnswer::remains() { return remains_of(snapshot_); }

SharedText InitialAnswer::next() {
  static const SharedText kComma = shared_text(",");
  if (held_ != nullptr) return std::exchange(held_, nullptr);
  if (!std::exchange(begun_, true)) return shared_text(head_ + '{');
  for (; table_ < request_->tables.size(); ++table_, chunk_ = 0, in_table_ = false) {
    const MonitoredTable& table = request_->tables[table_];
    if (!table.select.initial || table.condition.is_never()) continue;
    const auto& found = found_[table_];
    SharedText rows = found ? next_found(table, *found) : next_rows(table);
    if (rows == nullptr) {
      texts_[table_].reset();
      continue;
    }
    if (rows->empty()) return rows;
    held_ = std::move(rows);
    if (std::exchange(in_table_, true)) return kComma;
    const std::string& name = request_->schema->table(table.table).name;
    return shared_text((std::exchange(any_table_, true) ? "},\"" : "\"") + name + "\":{");
  }
  if (std::exchange(ended_, true)) return nullptr;
  return shared_text((any_table_ ? "}}" : "}") + tail_);
}

SharedText InitialAnswer::next_rows(const MonitoredTable& table) {
  const std::vector<ChunkRef>& chunks = snapshot_.tables[table.table].chunks();
  const std::shared_ptr<TableTexts>& texts = texts_[table_];
  SharedText rows;
  for (std::size_t i = 0; i < kChunksPerTurn && chunk_ < chunks.size(); ++i) {
    const std::size_t index = chunk_++;
    rows = texts != nullptr
               ? texts->rows(index, chunks[index], *request_, table, texts.use_count() > 1)
               : shared_text(encode(*request_, table, chunks[index]->rows));
    if (!rows->empty()) return rows;
  }
  return rows;  // null: there were no chunks left
}

SharedText InitialAnswer::next_found(const MonitoredTable& table,
                                     const std::vector<RowRef>& found) {
  const std::span<const RowRef> rest =
      std::span(found).subspan(std::min(chunk_ * RowChunk::kRows, found.size()));
  if (rest.empty()) return nullptr;
  ++chunk_;
  return shared_text(encode(*request_, table, rest.first(std::min(rest.size(), RowChunk::kRows))));
}

}  // namespace tandem
