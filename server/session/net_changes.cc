#include "server/session/net_changes.h"

namespace tandem {

void NetChanges::remove(Rows& rows, Rows::iterator place) {
  rows.erase(place);
  --size_;
}

void NetChanges::add(const RowChange& change) {
  moving_.reset();  // a table that grows moves its rows
  Rows& rows = tables_[change.table];
  const auto [place, is_new] = rows.try_emplace(change.uuid(), change);
  if (is_new) {
    ++size_;
    return;
  }
  place->second.after = change.after;
  if (!place->second.before && !place->second.after) remove(rows, place);
}

void NetChanges::add_before(const RowChange& change) {
  moving_.reset();
  Rows& rows = tables_[change.table];
  const auto [place, is_new] = rows.try_emplace(change.uuid(), change);
  if (is_new) {
    ++size_;
    return;
  }
  place->second.before = change.before;
  if (!place->second.before && !place->second.after) remove(rows, place);
}

template <class Add>
bool NetChanges::move_some(NetChanges& into, std::size_t& most, Add add) {
  while (!tables_.empty()) {
    Rows& rows = tables_.begin()->second;
    if (!moving_) moving_ = rows.begin();
    for (; *moving_ != rows.end(); --most) {
      if (most == 0) return false;
      (into.*add)((*moving_)->second);
      remove(rows, (*moving_)++);
    }
    moving_.reset();
    tables_.erase(tables_.begin());
  }
  return true;
}

bool NetChanges::move_some_before(NetChanges& earlier, std::size_t& most) {
  return move_some(earlier, most, &NetChanges::add);
}

bool NetChanges::move_some_after(NetChanges& later, std::size_t& most) {
  return move_some(later, most, &NetChanges::add_before);
}

}  // namespace tandem
