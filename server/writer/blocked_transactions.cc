#include "server/writer/blocked_transactions.h"

#include <algorithm>
#include <set>

namespace tandem {
namespace {

/// The tables that decide what becomes of the transaction.
std::set<TableIndex> tables_of(const Transaction& transaction) {
  std::set<TableIndex> tables;
  const auto note = [&](const auto& operation) {
    if constexpr (requires { operation.table; }) tables.insert(operation.table);
  };
  for (const Operation& operation : transaction.operations) std::visit(note, operation);
  return tables;
}

}  // namespace

void BlockedTransactions::add(std::unique_ptr<TransactCall> call) {
  const SessionId session = call->session;
  Entry& entry = entries_[{session, call->id.text()}];
  for (const TableIndex table : tables_of(call->transaction))
    by_table_[table].push_back(entry.places.emplace_back(entry));
  if (call->deadline_ms) entry.deadline = deadlines_.emplace(*call->deadline_ms, &entry);
  WaitLimits& used = used_.try_emplace(session, WaitLimits{0, 0}).first->second;
  ++used.number;
  used.bytes += call->wait_bytes;
  entry.call = std::move(call);
}

bool BlockedTransactions::contains(SessionId session, const JsonId& id) const {
  return !entries_.empty() && entries_.contains({session, id.text()});
}

std::unique_ptr<TransactCall> BlockedTransactions::remove(Entries::iterator entry) {
  if (entry->second.deadline) deadlines_.erase(*entry->second.deadline);
  std::unique_ptr<TransactCall> call = std::move(entry->second.call);
  const auto used = used_.find(entry->first.first);
  used->second.bytes -= call->wait_bytes;
  if (--used->second.number == 0) used_.erase(used);
  entries_.erase(entry);
  return call;
}

std::unique_ptr<TransactCall> BlockedTransactions::take(SessionId session, const JsonId& id) {
  const auto found = entries_.find({session, id.text()});
  return found == entries_.end() ? nullptr : remove(found);
}

std::vector<std::unique_ptr<TransactCall>> BlockedTransactions::take_all() {
  std::vector<std::unique_ptr<TransactCall>> calls;
  while (!entries_.empty()) calls.push_back(remove(entries_.begin()));
  return calls;
}

void BlockedTransactions::drop(SessionId session) {
  auto entry = entries_.lower_bound({session, {}});
  while (entry != entries_.end() && entry->first.first == session) remove(entry++);
}

WaitLimits BlockedTransactions::used_by(SessionId session) const {
  const auto found = used_.find(session);
  return found == used_.end() ? WaitLimits{0, 0} : found->second;
}

std::optional<std::int64_t> BlockedTransactions::next_deadline_ms() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

void BlockedTransactions::mark_touched(const std::vector<RowChange>& changes) {
  if (entries_.empty()) return;
  for (auto change = changes.begin(); change != changes.end();) {
    const TableIndex table = change->table;
    if (const auto waiting = by_table_.find(table); waiting != by_table_.end()) {
      due_.splice(due_.end(), waiting->second);
      by_table_.erase(waiting);
    }
    change = std::find_if(change, changes.end(),
                          [table](const RowChange& next) { return next.table != table; });
  }
}

void BlockedTransactions::mark_overdue(std::int64_t now_ms) {
  for (auto next = deadlines_.begin(); next != deadlines_.end() && next->first <= now_ms; ++next) {
    Place& place = next->second->places.front();
    place.unlink();
    due_.push_back(place);
  }
}

void BlockedTransactions::mark_all() {
  for (auto& [table, waiting] : by_table_) due_.splice(due_.end(), waiting);
  by_table_.clear();
}

std::unique_ptr<TransactCall> BlockedTransactions::take_due() {
  if (due_.empty()) return nullptr;
  const TransactCall& call = *due_.front().entry->call;
  return take(call.session, call.id);
}

}  // namespace tandem
