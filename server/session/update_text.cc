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

UpdateText::UpdateText(MonitorRequestRef request, std::shared_ptr<const NetChanges> changes)
    : request_(std::move(request)),
      changes_(std::move(changes)),
      writer_(*request_, text_),
      table_(changes_->tables().begin()) {}

SharedText UpdateText::next() {
  if (ended_) return nullptr;
  std::size_t rows = 0;
  for (; table_ != changes_->tables().end(); ++table_, row_.reset()) {
    const MonitoredTable* table = request_->find(table_->first);
    if (table == nullptr) continue;
    if (!row_) row_ = table_->second.begin();
    for (; *row_ != table_->second.end(); ++*row_) {
      if (rows++ == kRowsAtOnce || text_.size() >= kBytesAtOnce)
        return shared_text(writer_.empty() ? std::string() : std::exchange(text_, {}));
      const RowChange& change = (*row_)->second;
      writer_.change(*table, change.before.get(), change.after.get());
    }
  }
  ended_ = true;
  if (writer_.empty()) return nullptr;
  writer_.end();
  return shared_text(std::exchange(text_, {}));
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
