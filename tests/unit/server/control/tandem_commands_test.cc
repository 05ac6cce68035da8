#include "server/control/tandem_commands.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace tandem::control {
namespace {

/// A server of one database whose time is the test's.
class FakeServer : public RoleControl {
 public:
  ServerStatus now;
  std::vector<SessionFacts> clients;
  std::string log;
  std::vector<Done> promotions;
  std::vector<std::pair<std::int64_t, std::function<void()>>> later;

  FakeServer() {
    now.now_ms = 10'000;
    now.now_wall_ms = 1'700'000'000'000;
    DatabaseStatus database;
    database.name = "db";
    database.entry.position = {Epoch{3}, 41, Uuid{}};
    now.databases.push_back(database);
  }

  void sessions(std::function<void(const std::vector<SessionFacts>&)> then) override {
    then(clients);
  }
  ServerStatus status() override {
    ServerStatus status = now;
    if (now.is_active() && now.lease.state(now.now_ms) == Lease::State::kExpired)
      status.role = RoleState::kExpired;
    return status;
  }
  void refresh(std::function<void(bool)> then) override { then(true); }
  void promote(const Promotion& promotion, Done done) override {
    log += promotion.force ? "force" : "promote";
    if (promotion.above)
      log += " above " + std::to_string(static_cast<std::uint64_t>(*promotion.above));
    if (promotion.least) log += " least " + promotion.least->to_string();
    log += ';';
    promotions.push_back(std::move(done));
  }
  void demote(const Demotion& demotion, DoneWithText done) override {
    log += "demote " + demotion.active + " " +
           std::to_string(static_cast<std::uint64_t>(demotion.least_epoch)) +
           (demotion.depose ? " depose" : "") + (demotion.if_drained ? " if drained;" : ";");
    done(with_text(demotion.successor.empty() ? "" : "drained\n"));
  }
  void set_sync(const SyncSettings& settings) override { now.sync = settings; }
  Result<void> set_sync_peers(const std::string& names) override {
    if (names.empty()) return Error{"no names", "", std::nullopt};
    now.sync_peers = names;
    return {};
  }
  void set_node_name(const std::string& name) override { now.node_name = name; }
  void set_advertised_role(AdvertisedRole role) override { now.advertised_role = role; }
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) override {
    if (epoch && *epoch != Epoch{3}) return Error{"another epoch", "", std::nullopt};
    now.lease.renew(length_ms, now.now_ms);
    return {};
  }
  Result<void> disarm_lease() override {
    now.lease.disarm();
    return {};
  }
  void call_later(std::int64_t delay_ms, std::function<void()> task) override {
    later.emplace_back(now.now_ms + delay_ms, std::move(task));
  }

  void pass(std::int64_t ms) {
    now.now_ms += ms;
    for (std::size_t i = 0; i < later.size();) {
      if (later[i].first > now.now_ms) {
        ++i;
        continue;
      }
      const auto task = std::move(later[i].second);
      later.erase(later.begin() + static_cast<std::ptrdiff_t>(i));
      task();
    }
  }
};

struct Fixture {
  FakeServer server;
  CommandRegistry registry;
  std::string answer = "no answer";
  Fixture() { add_tandem_commands(registry, server); }

  std::string run(const std::string& name, const Arguments& arguments = {}) {
    answer = "no answer";
    registry.run("tandem/" + name, arguments, Reply([this](const Result<std::string>& result) {
                   answer = result.has_value() ? *result : "error: " + result.error().to_string();
                 }));
    return answer;
  }
};

const std::string kZero = "00000000-0000-0000-0000-000000000000";

TEST_CASE_METHOD(Fixture, "a position is epoch, index and digest, named when all are asked for") {
  CHECK(run("position", {"db"}) == "3 41 " + kZero + "\n");
  CHECK(run("position") == "db 3 41 " + kZero + "\n");
  CHECK(run("position", {"nil"}) == "error: no database by that name");
  CHECK(run("position", {"--format=json"}) ==
        R"({"db":{"epoch":3,"index":41,"digest":")" + kZero + "\"}}\n");
}

TEST_CASE_METHOD(Fixture, "a promotion is answered when it is done, or too late") {
  CHECK(run("promote") == "no answer");
  server.promotions[0]({});
  CHECK(answer.empty());
  CHECK(run("promote", {"--force"}) == "no answer");
  server.pass(10'000);
  CHECK(answer == "error: not promoted within 10 s; it goes on");
  server.promotions[1]({});
  CHECK(answer == "error: not promoted within 10 s; it goes on");
  CHECK(server.log == "promote;force;");
  CHECK(run("promote", {"now"}) == "error: unexpected argument now");
  CHECK(run("promote", {"--above", "x"}) == "error: \"x\" is not a valid epoch");
  run("promote", {"--above", "7", "--force"});
  CHECK(server.log == "promote;force;force above 7;");
  CHECK(run("promote", {"--least", "7"}) == "error: \"7\" is not of the form EPOCH:INDEX");
  run("promote", {"--least", "7:12"});
  CHECK(server.log == "promote;force;force above 7;promote least 7:12;");
}

TEST_CASE_METHOD(Fixture, "a demotion says who has what, and may depend on the successor") {
  CHECK(run("demote").empty());
  CHECK(run("demote", {"--successor", "b"}) == "drained\n");
  CHECK(run("demote", {"--if-drained"}) == "error: --if-drained needs --successor");
  CHECK(run("demote", {"tcp:x:1", "--if-drained", "--successor=b"}) == "drained\n");
  CHECK(server.log == "demote  0;demote  0;demote tcp:x:1 0 if drained;");
}

TEST_CASE_METHOD(Fixture, "the name of the node is shown and changed") {
  CHECK(run("node-name") == "\n");
  CHECK(run("node-name", {"b"}).empty());
  CHECK(run("node-name") == "b\n");
  CHECK(run("status").find("node-name: b\n") != std::string::npos);
  CHECK(run("advertise-role") == "none\n");
  CHECK(run("advertise-role", {"leader"}).empty());
  CHECK(run("advertise-role") == "leader\n");
  CHECK(run("status").find("advertised-role: leader\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "waiting for synchrony ends with it, or in time") {
  server.now.sync.replicas = 1;  // and no backup is there
  CHECK(run("wait-synced", {"--timeout", "2"}) == "no answer");
  server.pass(1000);
  server.now.sync.replicas = 0;
  server.pass(900);
  CHECK(answer.empty());
  server.now.sync.replicas = 1;
  CHECK(run("wait-synced", {"--timeout=0.5"}) == "no answer");
  server.pass(500);
  CHECK(answer == "error: not in sync within 0.5 s");
}

TEST_CASE_METHOD(Fixture, "the settings of synchronous commits are shown and changed") {
  CHECK(run("sync-replicas") == "0 1000 async\n");
  CHECK(run("sync-replicas", {"2", "250", "block"}).empty());
  CHECK(run("sync-replicas") == "2 250 block\n");
  CHECK(run("sync-replicas", {"1"}).empty());
  CHECK(run("sync-replicas") == "1 250 block\n");
  CHECK(run("sync-replicas", {"x"}) == "error: \"x\" is not a valid number");
  CHECK(run("sync-replicas", {"1", "1", "x"}) == "error: \"x\" is neither \"async\" nor \"block\"");
}

TEST_CASE_METHOD(Fixture, "the clients that may be backups are shown and changed") {
  CHECK(run("sync-peers") == "any\n");
  CHECK(run("sync-peers", {"a,b"}).empty());
  CHECK(run("sync-peers") == "a,b\n");
  CHECK(run("sync-peers", {""}) == "error: no names");
  CHECK_THAT(run("status"), Catch::Contains("sync-peers: a,b\n"));
}

TEST_CASE_METHOD(Fixture, "a lease that runs out takes the right to write until it is renewed") {
  CHECK(run("lease") == "off\n");
  CHECK(run("lease", {"1.5"}).empty());
  CHECK(server.status().writable());
  server.pass(1000);
  CHECK(run("lease") == "0.500\n");
  server.pass(500);
  CHECK(!server.status().writable());
  CHECK(run("lease") == "0.000\n");
  CHECK(run("status").starts_with("role: active\nwritable: no, the role lease has run out\n"));
  CHECK(run("lease", {"1"}).empty());
  CHECK(server.status().writable());
  CHECK(run("lease", {"1", "--epoch", "4"}) == "error: another epoch");
  CHECK(run("lease", {"1", "--epoch=3"}).empty());
  CHECK(run("lease", {"1", "--epoch", "x"}) == "error: \"x\" is not an epoch");
  CHECK(run("lease", {"off"}).empty());
  server.pass(5000);
  CHECK(server.status().writable());
  CHECK(run("lease", {"0"}).starts_with("error: "));
}

TEST_CASE_METHOD(Fixture, "status comes as text, in short, or as JSON") {
  CHECK(run("status", {"--format", "json"})
            .starts_with(
                R"({"role":"active","writable":true,"health":{"writable":true,"fault":"",)"));
  CHECK(run("status", {"--format", "xml"}) ==
        "error: \"xml\" is none of \"text\", \"short\" and \"json\"");
  CHECK(run("status", {"--format", "short"}) == "db active writable 3 41\n");
  run("lease", {"1"});
  server.pass(2000);
  CHECK(run("status", {"--format", "short"}) == "db active expired 3 41\n");
  CHECK(run("status").find("position: epoch 3 index 41 digest " + kZero) != std::string::npos);
}

}  // namespace
}  // namespace tandem::control
