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
  CHECK(gate.deadline_ms(0, 10) == 1000);
  gate.acknowledge(7, at(2), 20);
  CHECK(gate.open(at(2), 0, 20));
  CHECK(gate.status().missed == 0);
}

TEST_CASE("a server that comes again before its last connection has ended counts once") {
  Gate gate(2);
  FeedStatus status;
  status.server_id = Uuid{1, 1};
  status.acknowledged = at(1);
  gate.add(7, status);
  gate.add(8, status);
  CHECK(gate.followers().size() == 1);
  CHECK(gate.status().in_sync == 1);
  gate.acknowledge(7, at(2), 10);
  CHECK(gate.followers()[0].acknowledged == at(1));
}

TEST_CASE("a copy whose server was started anew counts once, another one on its host beside it") {
  Gate gate(2);
  FeedStatus status;
  status.server_id = Uuid{1, 1};
  status.name = "host";
  status.file = "/db";
  status.acknowledged = at(1);
  gate.add(7, status);
  status.server_id = Uuid{1, 2};
  gate.add(8, status);
  CHECK(gate.status().in_sync == 1);
  status.server_id = Uuid{1, 3};
  status.file = "/other";
  gate.add(9, status);
  CHECK(gate.status().in_sync == 2);
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
