#include "server/ctl/cluster_view.h"

#include <catch2/catch.hpp>

#include "tests/unit/server/ctl/cluster_fixture.h"

namespace tandem::ctl {
namespace {

using namespace test;

Copies some() {
  return gather({backup("b.example:80", kReplicating),
                 active("a:80", R"({"server_id":"x","node":"n3","in_sync":false,"lag_records":7})"),
                 silent("c:80"), backup("d:80", R"("state":"connecting","heard_ms_ago":12000)")});
}

TEST_CASE("the verdict comes first, then a line for each copy, the active at the top") {
  CHECK(cluster_text(some(), false) ==
        "one active, 1 of 3 backups in sync (d:80 is connecting, n3 is behind); no answer from "
        "c:80\n"
        "SERVER        NODE               DATABASE  ROLE    STATE        POSITION  BE"
        "HIND                     HEALTH\n"
        "a:80          host-a:80          D         active  writable     2:7       - "
        "                         ok\n"
        "b.example:80  host-b.example:80  D         backup  replicating  2:7       0 "
        "records                  ok\n"
        "d:80          host-d:80          D         backup  connecting   2:7       un"
        "known, heard 12.0 s ago  ok\n"
        "n3            n3                 D         backup  behind       -         7 "
        "records                  as its active says\n"
        "c:80          -                  -         -       no-answer    -         - "
        "                         no way to c:80\n");
}

TEST_CASE("a terminal shows in colours what needs care") {
  const std::string text = cluster_text(some(), true);
  CHECK_THAT(text, Catch::StartsWith("\033[33mone active"));
  CHECK_THAT(text, Catch::Contains("\033[33md:80 "));
  CHECK_THAT(text, Catch::Contains("\033[31mc:80 "));
  CHECK_THAT(text, Catch::Contains("\na:80 "));
  CHECK_THAT(cluster_text(gather({active("a"), active("b")}), true),
             Catch::StartsWith("\033[31mTWO writers") && Catch::Contains("\033[31ma "));
}

TEST_CASE("programs get the same, what is read first at the front") {
  const Copies all = gather({active("a"), backup("b", kReplicating), silent("c")});
  CHECK(to_text(cluster_json(all)) ==
        R"({"level":"degraded","verdict":"one active, 1 backup in sync; no answer from c",)"
        R"("databases":[{"name":"D","level":"good","verdict":"one active, 1 backup in sync"}],)"
        R"("copies":[{"server":"a","node":"host-a","database":"D","role":"active",)"
        R"("state":"writable","writable":true,"in_sync":false,"epoch":2,"index":7,"digest":"d",)"
        R"("told_by_active":false,"troubles":[]},)"
        R"({"server":"b","node":"host-b","database":"D","role":"backup","state":"replicating",)"
        R"("writable":false,"in_sync":true,"epoch":2,"index":7,"digest":"d",)"
        R"("source":"tcp:1.2.3.4:6641","lag_records":0,"lag_ms":0,"told_by_active":false,)"
        R"("troubles":[]}],)"
        R"("no_answer":[{"server":"c","problem":"no way to c"}]})");
}

TEST_CASE("what a server says cannot move the cursor of a terminal") {
  const Asked rude{"a",
                   json(R"({"server_id":"a","host":"\u001b[2J","databases":[{"name":"D\n"}]})")};
  const std::string text = cluster_text(gather({rude}), false);
  CHECK(text.find('\033') == std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

}  // namespace
}  // namespace tandem::ctl
