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
  std::size_t budget = kRowsAtOnce;
  for (; table_ < request_->tables.size(); ++table_, rows_.reset()) {
    const MonitoredTable& table = request_->tables[table_];
    if (!rows_) rows_.emplace(*changes_, table.table);
    while (!rows_->ended()) {
      if (budget == 0 || text_.size() >= kBytesAtOnce)
        return shared_text(writer_.empty() ? std::string() : std::exchange(text_, {}));
      if (const auto row = rows_->next(budget)) writer_.change(table, row->before, row->after);
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
