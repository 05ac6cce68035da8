#include "replication/role/drain.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

using Verdict = Drain::Verdict;
constexpr Position kNewest{Epoch{3}, 9, Uuid{1, 9}};

FeedStatus follower(const std::string& name, std::uint64_t index, bool in_sync = true) {
  FeedStatus feed;
  feed.name = name;
  feed.acknowledged = {Epoch{3}, index, Uuid{1, index}};
  feed.in_sync = in_sync;
  return feed;
}

Verdict judge(Drain& drain, std::int64_t waited_ms, const std::vector<FeedStatus>& followers,
              bool fresh = true) {
  return drain.judge({{"db", kNewest, followers}}, fresh, waited_ms);
}

TEST_CASE("backups that keep up are waited for until they have everything, a second at most") {
  Drain drain(0, "", false);
  CHECK(judge(drain, 999, {follower("b", 8)}) == Verdict::kWait);
  CHECK(judge(drain, 999, {follower("b", 9)}) == Verdict::kEnded);
  CHECK(drain.report() == "drained\n");
  CHECK(judge(drain, 1000, {follower("b", 8)}) == Verdict::kEnded);
  CHECK(drain.report() == "lacks b db 3:8\n");
}

TEST_CASE("a backup that does not keep up is not waited for, but named") {
  Drain drain(0, "", false);
  CHECK(judge(drain, 0, {follower("b", 9), follower("c", 2, false)}) == Verdict::kEnded);
  CHECK(drain.report() == "drained\nlacks c db 3:2\n");
}

TEST_CASE("the successor is waited for longer") {
  Drain drain(0, "b", false);
  CHECK(judge(drain, 2499, {follower("b", 8), follower("c", 8)}) == Verdict::kWait);
  CHECK(judge(drain, 2500, {follower("b", 8), follower("c", 8)}) == Verdict::kEnded);
}

TEST_CASE("a successor that is not there lacks everything, and is not waited for") {
  Drain drain(0, "b", false);
  CHECK(judge(drain, 0, {follower("c", 9)}) == Verdict::kEnded);
  CHECK(drain.report() == "lacks b db 0:0\n");
}

TEST_CASE("a successor that must have everything is waited for, in sync or not") {
  Drain drain(0, "b", true);
  CHECK(judge(drain, 2499, {follower("b", 8, false)}) == Verdict::kWait);
  CHECK(judge(drain, 2499, {follower("b", 9, false)}) == Verdict::kEnded);
  CHECK(judge(drain, 2500, {follower("b", 8, false)}) == Verdict::kUndo);
}

TEST_CASE("a demotion is undone at once if the successor is not there") {
  Drain drain(0, "b", true);
  CHECK(judge(drain, 0, {follower("c", 9)}) == Verdict::kUndo);
}

TEST_CASE("a demotion to a successor that has everything need not be undone for others") {
  Drain drain(0, "b", true);
  CHECK(judge(drain, 1000, {follower("b", 9), follower("c", 8)}) == Verdict::kEnded);
  CHECK(drain.report() == "lacks c db 3:8\n");
}

TEST_CASE("the successor is known by its node, and by its host if it tells none") {
  FeedStatus named = follower("host", 8);
  named.node = "node";
  Drain by_node(0, "node", false);
  CHECK(judge(by_node, 1000, {named}) == Verdict::kWait);
  Drain by_host(0, "host", false);
  CHECK(judge(by_host, 1000, {named}) == Verdict::kEnded);
}

TEST_CASE("while the writer is busy nothing is taken for drained") {
  Drain drain(0, "", true);
  CHECK(judge(drain, 999, {}, false) == Verdict::kWait);
  Drain other(0, "", false);
  CHECK(judge(other, 1000, {}, false) == Verdict::kEnded);
  CHECK(other.report().empty());
}

}  // namespace
}  // namespace tandem
