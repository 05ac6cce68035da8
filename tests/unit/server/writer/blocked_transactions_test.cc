#include "server/writer/blocked_transactions.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

struct Call final : TransactCall {
  void done() override {}
};

std::unique_ptr<TransactCall> waiting(unsigned session, std::int64_t id,
                                      std::vector<TableIndex> tables,
                                      std::optional<std::int64_t> deadline_ms = {}) {
  auto call = std::make_unique<Call>();
  call->session = SessionId{session};
  call->id = JsonId(id);
  call->deadline_ms = deadline_ms;
  for (const TableIndex table : tables) {
    WaitOp wait;
    wait.table = table;
    call->transaction.operations.emplace_back(std::move(wait));
  }
  return call;
}

std::vector<RowChange> changes(std::vector<TableIndex> tables) {
  std::vector<RowChange> changes(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) changes[i].table = tables[i];
  return changes;
}

/// The ids of those that are due, which are gone then.
std::vector<std::int64_t> due(BlockedTransactions& blocked) {
  std::vector<std::int64_t> ids;
  while (const auto call = blocked.take_due()) ids.push_back(std::stoll(call->id.text()));
  return ids;
}

TEST_CASE("a commit makes those due that wait for its tables, in order, each once") {
  BlockedTransactions blocked;
  blocked.add(waiting(1, 10, {0}));
  blocked.add(waiting(1, 11, {1}));
  blocked.add(waiting(2, 12, {0, 2}));
  blocked.add(waiting(2, 13, {3}));
  blocked.mark_touched(changes({0, 0, 2}));
  CHECK(due(blocked) == std::vector<std::int64_t>{10, 12});
  blocked.mark_touched(changes({0, 2}));
  CHECK(due(blocked).empty());
  blocked.mark_all();
  CHECK(due(blocked).size() == 2);
  CHECK(blocked.empty());
}

TEST_CASE("one that was tried in vain is due again with the next commit only") {
  BlockedTransactions blocked;
  blocked.add(waiting(1, 1, {0}));
  blocked.mark_touched(changes({0}));
  blocked.add(blocked.take_due());
  CHECK(blocked.take_due() == nullptr);
  blocked.mark_touched(changes({0}));
  CHECK(blocked.take_due() != nullptr);
}

TEST_CASE("those whose time is over are due, and the next deadline is known") {
  BlockedTransactions blocked;
  CHECK_FALSE(blocked.next_deadline_ms());
  blocked.add(waiting(1, 1, {0}, 50));
  blocked.add(waiting(1, 2, {0, 1}, 20));
  blocked.add(waiting(1, 3, {0}));
  CHECK(blocked.next_deadline_ms() == 20);
  blocked.mark_overdue(19);
  CHECK(blocked.take_due() == nullptr);
  blocked.mark_overdue(20);
  CHECK(due(blocked) == std::vector<std::int64_t>{2});
  CHECK(blocked.next_deadline_ms() == 50);
}

TEST_CASE("blocked transactions are found by session and id, and go with their session") {
  BlockedTransactions blocked;
  blocked.add(waiting(1, 1, {0}));
  blocked.add(waiting(1, 2, {0}, 5));
  blocked.add(waiting(2, 1, {0}));
  CHECK(blocked.used_by(SessionId{1}).number == 2);
  CHECK(blocked.contains(SessionId{2}, JsonId(1)));
  CHECK_FALSE(blocked.contains(SessionId{2}, JsonId(2)));
  CHECK(blocked.take(SessionId{2}, JsonId(2)) == nullptr);
  CHECK(blocked.take(SessionId{2}, JsonId(1))->session == SessionId{2});
  blocked.drop(SessionId{1});
  CHECK(blocked.used_by(SessionId{1}).number == 0);
  CHECK(blocked.empty());
  CHECK_FALSE(blocked.next_deadline_ms());
  blocked.mark_all();
  CHECK(blocked.take_due() == nullptr);
}

}  // namespace
}  // namespace tandem
