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
  orders_.clear();
  Rows& rows = tables_[change.table];
  const auto [place, is_new] = rows.try_emplace(change.uuid(), change);
  if (is_new) {
    ++size_;
    return;
  }
  place->second.*end = change.*end;
  if (!place->second.before && !place->second.after) remove(rows, place);
}

template <class F>
bool NetChanges::take_some(F&& take, std::size_t& most) {
  orders_.clear();
  while (!tables_.empty()) {
    Rows& rows = tables_.begin()->second;
    if (!moving_) moving_ = rows.begin();
    for (; *moving_ != rows.end(); --most) {
      if (most == 0) return false;
      take((*moving_)->second);
      remove(rows, (*moving_)++);
    }
    moving_.reset();
    tables_.erase(tables_.begin());
  }
  return true;
}

const NetChanges::SortedRows* NetChanges::sorted(TableIndex table, std::size_t& budget) const {
  static const SortedRows kNone;
  const Rows* rows = find(table);
  if (rows == nullptr) return &kNone;
  Order& order = orders_.try_emplace(table, *rows).first->second;
  order.rows.reserve(rows->size());
  for (; order.next != rows->end(); ++order.next) {
    if (budget == 0) return nullptr;
    --budget;
    order.rows.push_back(&*order.next);
  }
  return order.sort.step(budget) ? &order.rows : nullptr;
}

bool NetChanges::move_some_before(NetChanges& earlier, std::size_t& most) {
  return take_some([&](const RowChange& row) { earlier.merge(row, &RowChange::after); }, most);
}

bool NetChanges::move_some_after(NetChanges& later, std::size_t& most) {
  return take_some([&](const RowChange& row) { later.merge(row, &RowChange::before); }, most);
}

bool NetChanges::drop_some(std::size_t& most) {
  return take_some([](const RowChange&) {}, most);
}

}  // namespace tandem
