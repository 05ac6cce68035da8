#include "server/ctl/verdict.h"

#include <catch2/catch.hpp>

#include "tests/unit/server/ctl/cluster_fixture.h"

namespace tandem::ctl {
namespace {

using namespace test;

std::string verdict(const std::vector<Asked>& asked, Level level) {
  const Verdict verdict = judge(gather(asked));
  CHECK(to_string(verdict.level) == to_string(level));
  return verdict.sentence;
}

TEST_CASE("one writer whose backups have everything is good") {
  CHECK(verdict({active("a"), backup("b", kReplicating), backup("c", kReplicating)},
                Level::kGood) == "one active, 2 backups in sync");
  CHECK(verdict({active("a"), backup("b", kReplicating)}, Level::kGood) ==
        "one active, 1 backup in sync");
}

TEST_CASE("a writer without a backup in sync needs care") {
  CHECK(verdict({active("a")}, Level::kDegraded) == "one active, no backup");
  CHECK(verdict({active("a"), backup("b", R"("state":"resyncing")"), backup("c", kReplicating)},
                Level::kDegraded) == "one active, 1 of 2 backups in sync (b is resyncing)");
  CHECK(verdict({active("a"), backup("b", R"("state":"replicating","stale":true)")},
                Level::kDegraded) == "one active, 0 of 1 backup in sync (b is stale)");
  CHECK(
      verdict({active("a"), backup("b", R"("state":"replicating","lag_records":9,"lag_ms":1001)")},
              Level::kDegraded) == "one active, 0 of 1 backup in sync (b is behind)");
}

TEST_CASE("relays are no backups, and are well when they have a source") {
  CHECK(verdict({active("a"), relay("r", kReplicating)}, Level::kDegraded) ==
        "one active, no backup, 1 relay current");
  CHECK(verdict({active("a"), backup("b", kReplicating), relay("r", kReplicating),
                 relay("s", kReplicating)},
                Level::kGood) == "one active, 1 backup in sync, 2 relays current");
  CHECK(verdict({active("a"), backup("b", kReplicating), relay("r", R"("state":"connecting")")},
                Level::kDegraded) ==
        "one active, 1 backup in sync, 0 of 1 relay current (r is connecting)");
  CHECK(verdict({relay("r", kReplicating)}, Level::kBad) == "no writer");
}

TEST_CASE("no writer is bad, and is said with what is known of the reason") {
  CHECK(verdict({backup("a", kReplicating), backup("b", R"("state":"connecting")")}, Level::kBad) ==
        "no writer (a follows tcp:1.2.3.4:6641; b follows tcp:1.2.3.4:6641)");
  const Asked expired{"a", json(status("a", R"("role":"active","writable":false)",
                                       R"(,"lease":{"state":"expired"})"))};
  CHECK(verdict({expired}, Level::kBad) == "no writer (a is active, but its lease has run out)");
  const Asked failing{
      "a", json(status("a", R"("role":"active","writable":false,"health":{"writable":false})"))};
  CHECK(verdict({failing}, Level::kBad) == "no writer (a is active, but failing)");
}

TEST_CASE("two writers are bad") {
  CHECK(verdict({active("a"), active("b"), backup("c", kReplicating)}, Level::kBad) ==
        "TWO writers: a and b");
  CHECK(verdict({active("a"), active("b"), active("c")}, Level::kBad) == "3 writers: a, b and c");
}

TEST_CASE("a server that was asked under two names is not two writers") {
  Asked again = active("a");
  again.target = "the same";
  CHECK(verdict({active("a"), again, backup("b", kReplicating)}, Level::kGood) ==
        "one active, 1 backup in sync");
}

TEST_CASE("a backup of another history follows somebody else, whatever it says") {
  CHECK(verdict({active("a"), backup("b", kReplicating, position(3, 7))}, Level::kDegraded) ==
        "one active, 0 of 1 backup in sync (b is other-history)");
  CHECK(verdict({active("a"), backup("b", kReplicating, position(2, 7, "e"))}, Level::kDegraded) ==
        "one active, 0 of 1 backup in sync (b is other-history)");
  // One that follows by monitor has digests of its own.
  CHECK(verdict({active("a"),
                 backup("b", R"("state":"replicating","mode":"monitor")", position(0, 7, "e"))},
                Level::kGood) == "one active, 1 backup in sync");
}

TEST_CASE("backups that an active tells of count, and those that were asked speak for themselves") {
  const std::string told =
      R"({"server_id":"b","node":"nb","in_sync":true,"acknowledged":)" + position(2, 7) +
      R"(},{"server_id":"c","node":"nc","in_sync":false},{"server_id":"b","doubted":true})";
  CHECK(verdict({active("a", told)}, Level::kDegraded) ==
        "one active, 1 of 2 backups in sync (nc is behind)");
  CHECK(verdict({active("a", told), backup("c", kReplicating)}, Level::kGood) ==
        "one active, 2 backups in sync");
}

TEST_CASE("a server that is silent may be anything") {
  CHECK(verdict({active("a"), backup("b", kReplicating), silent("c")}, Level::kDegraded) ==
        "one active, 1 backup in sync; no answer from c");
  CHECK(verdict({silent("a"), silent("b")}, Level::kBad) == "no answer from a, b");
}

TEST_CASE("what is wrong with a server is part of the verdict") {
  const Asked failing{"b",
                      json(status("b",
                                  std::string(R"("role":"backup","follower":{)") + kReplicating +
                                      R"(},"position":)" + position(2, 7),
                                  R"(,"health":{"troubles":[{"subject":"log file","what":"full"},)"
                                  R"({"subject":"x","what":"y"}]})"))};
  CHECK(verdict({active("a"), failing}, Level::kDegraded) ==
        "one active, 1 backup in sync; b: log file: full (and 1 more)");
}

TEST_CASE("databases of one verdict share a sentence, others have their names") {
  const auto two = [](const std::string& second) {
    return json(R"({"server_id":"a","databases":[{"name":"NB","role":"active","writable":true},)" +
                second + "]}");
  };
  CHECK(verdict({{"a", two(R"({"name":"SB","role":"active","writable":true})")}},
                Level::kDegraded) == "one active, no backup");
  CHECK(verdict({{"a", two(R"({"name":"SB","role":"backup"})")}}, Level::kBad) ==
        "NB: one active, no backup; SB: no writer");
}

TEST_CASE("an answer that is no status is no database") {
  CHECK(verdict({{"a", json("[1,2]")}}, Level::kBad) == "no database");
  CHECK(verdict({{"a", json(R"({"databases":[{},7,null]})")}}, Level::kBad).find("no writer") !=
        std::string::npos);
}

}  // namespace
}  // namespace tandem::ctl
