#include "server/ctl/stock_server.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "server/ctl/cluster_view.h"

namespace tandem::ctl {
namespace {

const std::string kVersion = "ovsdb-server (Open vSwitch) 3.1.0\n";

std::string text(const std::string& databases, const std::string& sync_status) {
  return stock_status_text(read_stock_status(kVersion, databases, sync_status));
}

TEST_CASE("a stock server that follows nobody is active in all its databases") {
  CHECK(text("NB\nSB\n_Server\n", "state: active\n") ==
        "server: ovsdb-server (Open vSwitch) 3.1.0, not Tandem\n"
        "database: NB\n  role: active\ndatabase: SB\n  role: active\n");
}

TEST_CASE("a stock backup says whom it follows, and how") {
  CHECK(text("NB\n", "state: backup\nreplicating: tcp:1.2.3.4:6641\ndatabase: NB\n") ==
        "server: ovsdb-server (Open vSwitch) 3.1.0, not Tandem\n"
        "database: NB\n  role: backup\n  source: tcp:1.2.3.4:6641\n  follows: replicating\n");
  CHECK(text("NB\n", "state: backup\nconnecting: tcp:1.2.3.4:6641\n") ==
        "server: ovsdb-server (Open vSwitch) 3.1.0, not Tandem\n"
        "database: NB\n  role: backup\n  source: tcp:1.2.3.4:6641\n  follows: connecting\n");
}

TEST_CASE("how far a stock backup is behind is not known") {
  const Copies all =
      gather({{"a", read_stock_status(kVersion, "NB\n", "state: active\n")},
              {"b", read_stock_status(kVersion, "NB\n", "state: backup\nreplicating: tcp:a:1\n")}});
  CHECK_THAT(cluster_text(all, false),
             Catch::StartsWith("one active, 1 backup in sync\n") &&
                 Catch::Contains("backup  replicating  -         unknown  ok\n"));
}

TEST_CASE("databases of a stock server may have roles of their own") {
  const Json status = read_stock_status(
      kVersion, "A\nB\n",
      "database: B\nstate: backup\nreplicating: tcp:1.2.3.4:1\ndatabase: A\nstate: active\n");
  CHECK(to_text(status.at("databases")) ==
        R"([{"name":"A","role":"active","writable":true},)"
        R"({"follower":{"mode":"monitor","state":"replicating"},"name":"B","role":"backup",)"
        R"("source":"tcp:1.2.3.4:1","writable":false}])");
}

}  // namespace
}  // namespace tandem::ctl
