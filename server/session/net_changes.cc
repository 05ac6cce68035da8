#include "server/session/net_changes.h"

namespace tandem {

void NetChanges::add(const RowChange& change) {
  Rows& rows = tables_[change.table];
  const auto [place, is_new] = rows.try_emplace(change.uuid(), change);
  if (is_new) {
    ++size_;
    return;
  }
  place->second.after = change.after;
  if (place->second.before || place->second.after) return;
  rows.erase(place);
  --size_;
}

void NetChanges::add_later(const NetChanges& later) {
  for (const auto& [table, rows] : later.tables_) {
    for (const auto& [uuid, change] : rows) add(change);
  }
}

void NetChanges::add_earlier(const NetChanges& earlier) {
  for (const auto& [table, rows] : earlier.tables_) {
    Rows& own = tables_[table];
    for (const auto& [uuid, change] : rows) {
      const auto [place, is_new] = own.try_emplace(uuid, change);
      if (is_new) {
        ++size_;
        continue;
      }
      place->second.before = change.before;
      if (place->second.before || place->second.after) continue;
      own.erase(place);
      --size_;
    }
  }
}

}  // namespace tandem
