#include <catch2/catch.hpp>

#include "ocf/agent/decision/servers.h"

namespace tandem::agent {
namespace {

/// A status with this in the entry of the Northbound database.
std::optional<ServerState> nb_with(const std::string& members, const std::string& others = "") {
  return ServerState::from_status(
      Which::kNb, R"({"databases":[7,{"name":"other"},{"name":"OVN_Northbound",)" + members + "}]" +
                      others + "}");
}

TEST_CASE("A backup's state tells its link, its source and its copy") {
  const auto state = nb_with("\"role\":\"backup\",\"source\":\"tcp:\xff:6641\"," +
                                 std::string(R"("follower":{"state":"replicating","stale":false},
         "position":{"epoch":3,"index":41,"digest":"00000000-0000-0000-0000-00000000000a"})"),
                             R"(,"node_name":"n1","health":{"writable":false})");
  REQUIRE(state);
  CHECK(state->role == ServerState::Role::kBackup);
  CHECK(state->link == "replicating");
  CHECK(state->source == "tcp:\xff:6641");
  CHECK(state->node_name == "n1");
  CHECK(!state->healthy);
  REQUIRE(state->copy);
  CHECK(state->copy->height == Height{Epoch{3}, 41});
}

TEST_CASE("An active's state tells whether its lease has run out, and its file is whole") {
  CHECK(nb_with(R"("role":"active")")->link == "writable");
  CHECK(nb_with(R"("role":"active")", R"(,"lease":{"state":"expired"})")->link == "expired");
  const auto damaged = nb_with(R"("role":"active","health":{"damage":{"offset":1}})");
  CHECK(damaged->damaged);
  CHECK(damaged->link == "damaged");
}

TEST_CASE("Of a status that lacks things, or has odd ones, the rest is read") {
  const auto state = nb_with(
      R"("role":"backup","follower":{"state":7,"stale":"x"},"position":{"epoch":-1},"health":[])",
      R"(,"health":7,"lease":null)");
  REQUIRE(state);
  CHECK(state->link.empty());
  CHECK(!state->copy);
  CHECK(state->healthy);
  CHECK(!state->node_name);
  CHECK(nb_with(R"("role":"backup","follower":7)")->link == "idle");
}

TEST_CASE("An answer that is no status of this database says nothing") {
  for (const char* text : {"", "{", "[]", "7", R"({"databases":{}})", R"({"databases":[]})"}) {
    CAPTURE(text);
    CHECK(!ServerState::from_status(Which::kNb, text));
  }
  CHECK(!ServerState::from_status(Which::kSb, R"({"databases":[{"name":"OVN_Northbound"}]})"));
}

}  // namespace
}  // namespace tandem::agent
