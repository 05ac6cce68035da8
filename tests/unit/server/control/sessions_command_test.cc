#include "server/control/sessions_command.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace tandem::control {
namespace {

std::vector<SessionFacts> some() {
  SessionFacts quiet;
  quiet.name = "unix#1";
  quiet.remote = "punix:db.sock";
  quiet.requests = 9;
  quiet.awaited = {"ovn_northd"};
  SessionFacts slow;
  slow.name = "ssl:1.2.3.4:5";
  slow.remote = "pssl:6642";
  slow.peer_id = "chassis";
  slow.role = "ovn-controller";
  slow.requests = 3;
  slow.under_way = 2;
  slow.unsent_bytes = 4096;
  slow.is_behind = true;
  slow.monitors = 1;
  slow.locks = {"a", "b"};
  SessionFacts backup;
  backup.name = "tcp:1.2.3.5:5";
  backup.remote = "ptcp:6641";
  backup.is_backup = true;
  return {quiet, slow, backup};
}

TEST_CASE("who is slow stands first in the table of clients") {
  CHECK(
      sessions_text(some()) ==
      "CLIENT                 REMOTE         ROLE            REQUESTS  OPEN  UNSENT     MONITORS  "
      "LOCKS\n"
      "ssl:1.2.3.4:5 chassis  pssl:6642      ovn-controller  3         2     4096 slow  1         "
      "a,b\n"
      "unix#1                 punix:db.sock  -               9         0     0          0         "
      "waits for ovn_northd\n"
      "tcp:1.2.3.5:5          ptcp:6641      backup          0         0     0          0         "
      "-\n");
}

TEST_CASE("of many clients some are shown, and all are counted") {
  const std::string text = sessions_text(std::vector<SessionFacts>(150));
  CHECK(std::count(text.begin(), text.end(), '\n') == 102);
  CHECK_THAT(text, Catch::EndsWith("and 50 more clients\n"));
}

TEST_CASE("programs are told of each client") {
  const OrderedJson all = sessions_json(some()).at("sessions");
  REQUIRE(all.size() == 3);
  CHECK(to_text(all.at(1)) ==
        R"({"name":"ssl:1.2.3.4:5","remote":"pssl:6642","certificate":"chassis",)"
        R"("role":"ovn-controller","backup":false,"requests":3,"under_way":2,"unsent_bytes":4096,)"
        R"("behind":true,"monitors":1,"locks":["a","b"],"awaited_locks":[]})");
}

}  // namespace
}  // namespace tandem::control
