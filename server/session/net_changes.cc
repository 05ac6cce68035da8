#include "server/session/net_changes.h"

namespace tandem {

void NetChanges::remove(Rows& rows, Rows::iterator place) {
  rows.erase(place);
  --size_;
}

void NetChanges::add(const RowChange& change) { merge(change, &RowChange::after); }

void NetChanges::add_before(const RowChange& change) { merge(change, &RowChange::before); }

void NetChanges::merge(const RowChange& change, RowRef RowChange::*end) {
  moving_.reset();  // a table that grows moves its rows
  Rows& rows = tables_[change.table];
  const auto [place, is_new] = rows.try_emplace(change.uuid(), change);
  if (is_new) {
    ++size_;
    return;
  }
  place->second.*end = change.*end;
  if (!place->second.before && !place->second.after) remove(rows, place);
}

bool NetChanges::move_some(NetChanges& into, RowRef RowChange::*end, std::size_t& most) {
  while (!tables_.empty()) {
    Rows& rows = tables_.begin()->second;
    if (!moving_) moving_ = rows.begin();
    for (; *moving_ != rows.end(); --most) {
      if (most == 0) return false;
      into.merge((*moving_)->second, end);
      remove(rows, (*moving_)++);
    }
    moving_.reset();
    tables_.erase(tables_.begin());
  }
  return true;
}

bool NetChanges::move_some_before(NetChanges& earlier, std::size_t& most) {
  return move_some(earlier, &RowChange::after, most);
}

bool NetChanges::move_some_after(NetChanges& later, std::size_t& most) {
  return move_some(later, &RowChange::before, most);
}

}  // namespace tandem
