#include "server/session/update_text.h"

#include <utility>

namespace tandem {

namespace {

/// So many rows, or bytes, are looked at or made in one go.
constexpr std::size_t kRowsAtOnce = 512;
constexpr std::size_t kBytesAtOnce = 64 << 10;

std::string_view method_of(MonitorVersion version) {
  switch (version) {
    case MonitorVersion::kUpdate:
      return "update";
    case MonitorVersion::kUpdate2:
      return "update2";
    case MonitorVersion::kUpdate3:
      return "update3";
  }
  return "";
}

}  // namespace

UpdateText::UpdateText(MonitorRequestRef request, NetPartsRef changes)
    : request_(std::move(request)), changes_(std::move(changes)), writer_(*request_, text_) {}

SharedText UpdateText::next() {
  if (ended_) return nullptr;
  std::size_t looked = 0;
  for (; table_ < request_->tables.size(); ++table_, part_ = 0) {
    const MonitoredTable& table = request_->tables[table_];
    for (; part_ < changes_->size(); ++part_, row_.reset()) {
      const NetChanges::Rows* rows = (*changes_)[part_]->find(table.table);
      if (rows == nullptr) continue;
      if (!row_) row_ = rows->begin();
      for (; *row_ != rows->end(); ++*row_) {
        if (looked >= kRowsAtOnce || text_.size() >= kBytesAtOnce)
          return shared_text(writer_.empty() ? std::string() : std::exchange(text_, {}));
        looked += 1 + changes_->size() / 8;
        write(table, (*row_)->second);
      }
    }
  }
  ended_ = true;
  if (writer_.empty()) return nullptr;
  writer_.end();
  return shared_text(std::exchange(text_, {}));
}

void UpdateText::write(const MonitoredTable& table, const RowChange& change) {
  const auto in = [&](std::size_t part) -> const RowChange* {
    const NetChanges::Rows* rows = (*changes_)[part]->find(table.table);
    if (rows == nullptr) return nullptr;
    const auto found = rows->find(change.uuid());
    return found == rows->end() ? nullptr : &found->second;
  };
  for (std::size_t earlier = 0; earlier < part_; ++earlier) {
    if (in(earlier) != nullptr) return;
  }
  const RowChange* last = nullptr;
  for (std::size_t later = changes_->size() - 1; last == nullptr && later > part_; --later)
    last = in(later);
  writer_.change(table, change.before.get(), (last != nullptr ? *last : change).after.get());
}

SharedText SharedUpdateText::piece(std::size_t index, bool kept) {
  const SharedText piece = index < pieces_.size() ? pieces_[index] : text_.next();
  if (index == pieces_.size()) pieces_.push_back(kept ? piece : nullptr);
  if (!kept) {
    pieces_[index] = nullptr;
    dropped_ = true;
  }
  return piece;
}

std::string begin_update(const MonitorRequest& request, const std::string& monitor_id,
                         const Uuid& commit_id) {
  std::string params = "[";
  params += monitor_id;
  if (request.version == MonitorVersion::kUpdate3) {
    params += ",\"";
    commit_id.append_to(params);
    params += '"';
  }
  params += ',';
  std::string text = make_notification(method_of(request.version), params);
  text.pop_back();  // "params" is its last member; kEndOfUpdate closes both
  return text;
}

}  // namespace tandem
