#include "replication/commit_gate.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

Position at(std::uint64_t index) { return {Epoch{1}, index, Uuid{0, index}}; }

struct Gate : CommitGate {
  explicit Gate(unsigned replicas, Fallback fallback = Fallback::kAsync) {
    configure({replicas, 1000, fallback});
    logged(at(1));
  }
  void follow(Follower follower, const char* name, std::uint64_t index) {
    FeedStatus status;
    status.server_id = Uuid{1, follower};
    status.name = name;
    status.acknowledged = at(index);
    add(follower, status);
  }
};

TEST_CASE("without replicas every commit is open at once") {
  Gate gate(0);
  CHECK(gate.open(at(1), 0, 0));
  CHECK_FALSE(gate.deadline_ms(0, 0));
}

TEST_CASE("a commit waits for the acknowledgement of a backup that keeps up") {
  Gate gate(1);
  gate.follow(7, "a", 1);
  gate.logged(at(2));
  CHECK_FALSE(gate.open(at(2), 0, 10));
  CHECK(gate.deadline_ms(0, 100) == 1000);
  gate.acknowledge(7, at(2), 20);
  CHECK(gate.open(at(2), 0, 20));
  CHECK(gate.status().missed == 0);
}

TEST_CASE("commits of one millisecond see every change of those that keep up") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  gate.follow(7, "a", 1);
  gate.acknowledge(7, at(1), 0);
  CHECK(gate.open(at(1), 0, 0));
  gate.logged(at(2));
  CHECK_FALSE(gate.open(at(2), 0, 0));
  gate.acknowledge(7, at(2), 0);
  CHECK(gate.open(at(2), 0, 0));
  gate.remove(7);
  CHECK_FALSE(gate.open(at(2), 0, 0));
}

FeedStatus copy(std::uint64_t server, const char* name, const char* file) {
  FeedStatus status;
  status.server_id = Uuid{1, server};
  status.name = name;
  status.file = file;
  return status;
}

using Followers = std::vector<CommitGate::Follower>;

TEST_CASE("a copy that comes again before its last connection has ended counts once") {
  Gate gate(2);
  CHECK(gate.add(7, copy(1, "host", "/db")).empty());
  gate.acknowledge(7, at(1), 0);
  // By its server's id, or started anew: by its file.
  CHECK(gate.add(8, copy(1, "host", "/db")) == Followers{7});
  CHECK(gate.add(9, copy(2, "host", "/db")) == Followers{7, 8});
  gate.acknowledge(9, at(1), 0);
  CHECK(gate.followers().size() == 3);
  CHECK(gate.followers()[0].doubted);
  CHECK_FALSE(gate.followers()[2].doubted);
  CHECK(gate.status().in_sync == 1);
}

TEST_CASE("a copy whose last connection is not seen to have ended lets a waiting commit pass") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  gate.add(7, copy(1, "host", "/db"));
  gate.acknowledge(7, at(1), 0);
  gate.logged(at(2));
  CHECK_FALSE(gate.open(at(2), 0, 10));
  // Its acknowledgement was lost with the connection.
  gate.add(8, copy(1, "host", "/db"));
  CHECK_FALSE(gate.open(at(2), 0, 20));
  gate.acknowledge(8, at(2), 30);
  CHECK(gate.open(at(2), 0, 30));
}

TEST_CASE(
    "two copies that say the same of themselves are two once both have shown that they live") {
  Gate gate(2);
  gate.add(7, copy(1, "clone", "/db"));
  gate.add(8, copy(2, "clone", "/db"));
  gate.acknowledge(7, at(1), 0);
  gate.acknowledge(8, at(1), 0);
  CHECK(gate.status().in_sync == 2);
  gate.add(9, copy(2, "other", "/db"));
  CHECK(gate.status().in_sync == 1 + 1);
  gate.alive(8);  // it has answered a challenge
  gate.acknowledge(9, at(1), 0);
  CHECK(gate.status().in_sync == 3);
}

TEST_CASE(
    "a false claim takes nothing from a living backup, and nothing stays of it when it goes") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  gate.add(7, copy(1, "a", "/db"));
  gate.acknowledge(7, at(1), 0);
  gate.add(8, copy(1, "", "/db"));
  gate.logged(at(2));
  gate.acknowledge(7, at(2), 10);
  CHECK(gate.open(at(2), 0, 10));
  gate.add(9, copy(1, "", "/db"));
  gate.remove(9);
  CHECK_FALSE(gate.followers()[0].doubted);
  gate.logged(at(3));
  gate.acknowledge(7, at(3), 20);
  CHECK(gate.open(at(3), 10, 20));
}

TEST_CASE("the acknowledgements of a pair that may be one copy are not added up") {
  Gate gate(2, CommitGate::Fallback::kBlock);
  gate.add(7, copy(1, "host", "/db"));
  gate.acknowledge(7, at(1), 0);
  gate.add(8, copy(1, "host", "/db"));
  gate.acknowledge(8, at(1), 0);
  CHECK_FALSE(gate.open(at(1), 0, 0));
  gate.alive(7);
  CHECK(gate.open(at(1), 0, 0));
}

/// A backup that keeps up, and says so each second.
void keep_up(Gate& gate, CommitGate::Follower follower, std::uint64_t index, std::int64_t from_ms,
             std::int64_t to_ms) {
  for (std::int64_t now = from_ms; now <= to_ms; now += 1000)
    gate.acknowledge(follower, at(index), now);
}

TEST_CASE(
    "a stranger with the first name lets no commit wait for which an established backup is "
    "enough") {
  Gate gate(1);
  gate.follow(1, "b", 1);
  keep_up(gate, 1, 1, 0, 10'000);
  FeedStatus stranger = copy(9, "", "");
  stranger.heard_ms = 10'000;
  gate.add(2, stranger);
  gate.acknowledge(2, at(1), 10'000);
  gate.logged(at(2));
  gate.acknowledge(1, at(2), 10'001);
  CHECK(gate.open(at(2), 10'000, 10'001));
}

TEST_CASE("a silent stranger is never established") {
  Gate gate(1);
  gate.follow(1, "b", 1);
  gate.follow(2, "", 1);
  gate.acknowledge(2, at(1), 0);
  keep_up(gate, 1, 1, 0, 60'000);
  gate.logged(at(2));
  gate.acknowledge(1, at(2), 60'001);
  CHECK(gate.open(at(2), 60'000, 60'001));
}

TEST_CASE("a newcomer lets one commit wait, and for a moment, if others have acknowledged it") {
  Gate gate(1);
  gate.follow(1, "b", 1);
  gate.follow(2, "", 1);
  gate.logged(at(2));
  gate.acknowledge(1, at(2), 1);
  CHECK_FALSE(gate.open(at(2), 0, 99));
  CHECK(gate.deadline_ms(0, 99) == 100);
  CHECK(gate.open(at(2), 0, 100));
  gate.logged(at(3));
  gate.acknowledge(1, at(3), 101);
  CHECK(gate.open(at(3), 100, 101));
  // Nor does it help to ask to follow again.
  gate.follow(2, "", 3);
  gate.logged(at(4));
  gate.acknowledge(1, at(4), 201);
  CHECK(gate.open(at(4), 200, 201));
}

TEST_CASE(
    "an established backup is waited for as long as the timeout says, though others are there") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  for (const CommitGate::Follower follower : {1U, 2U}) {
    gate.follow(follower, follower == 1 ? "a" : "b", 1);
    keep_up(gate, follower, 1, 0, 10'000);
  }
  gate.logged(at(2));
  gate.acknowledge(2, at(2), 10'010);
  CHECK_FALSE(gate.open(at(2), 10'000, 10'999));
  CHECK(gate.open(at(2), 10'000, 11'000));
}

TEST_CASE("each established one that falls silent makes the trial of the next twice as long") {
  Gate gate(1);
  gate.follow(1, "b", 1);
  keep_up(gate, 1, 1, 0, 60'000);
  gate.follow(2, "", 1);
  gate.acknowledge(2, at(1), 60'000);
  keep_up(gate, 2, 1, 60'000, 70'000);
  keep_up(gate, 1, 1, 60'000, 70'000);
  gate.logged(at(2));
  gate.acknowledge(1, at(2), 70'001);
  CHECK_FALSE(gate.open(at(2), 70'000, 70'999));
  CHECK(gate.open(at(2), 70'000, 71'000));
  // It is not enough to come back.
  gate.remove(2);
  FeedStatus again = copy(5, "", "");
  again.acknowledged = at(2);
  again.heard_ms = 71'000;
  gate.add(3, again);
  keep_up(gate, 3, 2, 71'000, 81'000);
  keep_up(gate, 1, 2, 71'000, 81'000);
  gate.logged(at(3));
  gate.acknowledge(1, at(3), 81'001);
  CHECK(gate.open(at(3), 81'000, 81'001));
}

TEST_CASE("what a follower has acknowledged is known, and of one that has not, nothing") {
  Gate gate(0);
  gate.add(7, copy(1, "a", "/db"));
  CHECK_FALSE(gate.acknowledged(7));
  CHECK_FALSE(gate.acknowledged(8));
  gate.acknowledge(7, at(1), 0);
  CHECK(gate.acknowledged(7) == at(1));
}

TEST_CASE("asynchronous fallback does not wait when too few backups keep up, and counts it") {
  Gate gate(1);
  CHECK(gate.open(at(1), 0, 0));
  gate.follow(7, "a", 0);  // still catching up
  CHECK(gate.open(at(1), 0, 0));
  CHECK(gate.status().degraded);
  CHECK(gate.status().missed == 2);
}

TEST_CASE("a backup that lets a commit wait too long counts again once it has caught up") {
  Gate gate(1);
  gate.follow(7, "a", 1);
  gate.logged(at(2));
  CHECK_FALSE(gate.open(at(2), 0, 999));
  CHECK(gate.open(at(2), 0, 1000));
  CHECK(gate.status().in_sync == 0);
  gate.logged(at(3));
  gate.acknowledge(7, at(2), 1100);
  CHECK(gate.open(at(3), 1100, 1100));
  gate.acknowledge(7, at(3), 1200);
  CHECK(gate.status().in_sync == 1);
  gate.logged(at(4));
  CHECK_FALSE(gate.open(at(4), 1200, 1200));
}

TEST_CASE("blocking fallback waits for as long as it takes") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  CHECK_FALSE(gate.open(at(1), 0, 0));
  CHECK_FALSE(gate.open(at(1), 0, 1'000'000));
  CHECK_FALSE(gate.deadline_ms(0, 1'000'000));
  gate.follow(7, "a", 1);
  CHECK(gate.open(at(1), 0, 1'000'001));
}

TEST_CASE("of many backups the first in order of their names count") {
  Gate gate(1);
  gate.follow(1, "b", 1);
  gate.follow(2, "a", 1);
  gate.logged(at(2));
  gate.acknowledge(1, at(2), 10);
  CHECK_FALSE(gate.open(at(2), 0, 10));
  gate.acknowledge(2, at(2), 20);
  CHECK(gate.open(at(2), 0, 20));
}

TEST_CASE("when the first backup falls silent the next one takes its place") {
  Gate gate(1, CommitGate::Fallback::kBlock);
  gate.follow(1, "a", 1);
  gate.follow(2, "b", 1);
  gate.logged(at(2));
  gate.acknowledge(2, at(2), 10);
  CHECK_FALSE(gate.open(at(2), 0, 10));
  CHECK(gate.open(at(2), 0, 1000));
  gate.remove(2);
  gate.logged(at(3));
  CHECK_FALSE(gate.open(at(3), 1000, 5000));
}

}  // namespace
}  // namespace tandem
