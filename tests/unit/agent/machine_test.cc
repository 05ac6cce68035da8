#include "ocf/agent/decision/machine.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>

namespace tandem::agent {
namespace {

/// A node whose servers and cluster answer at once, from a table of attributes and two roles.
class FakeNode {
 public:
  Pair<std::string> roles{{"backup", "backup"}};
  Pair<std::string> links{{"connecting", "connecting"}};
  std::map<std::string, std::map<std::string, std::string>> attributes;
  std::vector<std::string> commands;
  bool corosync_hangs = false;
  std::int64_t compacting_ms = 0;  ///< so long a stock server answers nothing
  int kills = 0;
  std::int64_t now_ms = 1000;

  /// Drives an action to its end; the number of steps is bounded.
  Exit run(const Order& order, Memory& memory) {
    Machine machine(order, memory, now_ms, 0x7f3a);
    for (int turns = 0; turns < 1000 && !machine.finished(); ++turns) {
      for (const Step& step : machine.take_steps()) {
        limit_ms_ = step.limit_ms;
        Answer answer = std::visit([&](const auto& what) { return take(what); }, step.what);
        if (answer.outcome == Answer::Outcome::kSilent) now_ms += step.limit_ms;
        machine.answer(step.id, std::move(answer), now_ms);
      }
    }
    memory = machine.memory();
    REQUIRE(machine.finished());
    return machine.exit_code().value_or(Exit::kSuccess);
  }

 private:
  std::int64_t limit_ms_ = 0;

  static Answer done(std::string text = "") {
    return {Answer::Outcome::kDone, std::move(text), {}};
  }

  std::string status(Which which) {
    const std::string follower =
        roles[which] == "backup" ? R"(,"follower":{"state":")" + links[which] + "\"}" : "";
    return R"({"databases":[{"name":")" + database_of(which) + R"(","role":")" + roles[which] +
           R"(","position":{"epoch":5,"index":100,"digest":"00000000-0000-0000-0000-000000000001"})" +
           follower + "}]}";
  }

  Answer take(const AskServer& step) {
    if (compacting_ms > 0) {
      if (limit_ms_ < compacting_ms) return {};
      return done("state: backup\nreplicating: OVN");
    }
    if (step.command == "tandem/status") return done(status(step.which));
    commands.push_back(name_of(step.which) + " " + step.command);
    if (step.command == "tandem/promote") roles[step.which] = "active";
    if (step.command == "tandem/demote") roles[step.which] = "backup";
    return done();
  }
  Answer take(const ReadAttribute& step) {
    Answer answer = done();
    for (const auto& [host, value] : attributes[step.name]) answer.values.emplace_back(host, value);
    return answer;
  }
  Answer take(const WriteAttribute& step) {
    attributes[step.name][step.host] = step.value;
    return done();
  }
  Answer take(const AskCorosync&) { return corosync_hangs ? Answer{} : done(); }
  Answer take(const AskController&) { return done("1\n"); }
  Answer take(const ReadProperty&) { return {Answer::Outcome::kNotThere, "", {}}; }
  Answer take(const LookAtServer&) {
    return done(compacting_ms > 0 ? "running stock listens" : "running tandem listens");
  }
  Answer take(const KillServer&) {
    ++kills;
    return done();
  }
  Answer take(const Pause&) { return {}; }
  template <class Other>
  Answer take(const Other&) {
    return done();
  }
};

Order order(Order::Action action) {
  Order order;
  order.action = action;
  order.node = order.attributes_host = "ctl1";
  order.settings.master_ip = "192.0.2.10";
  return order;
}

TEST_CASE("A promotion promotes the Southbound database first and publishes the active") {
  FakeNode node;
  Memory memory;
  CHECK(node.run(order(Order::Action::kPromote), memory) == Exit::kSuccess);
  REQUIRE(node.commands.size() >= 2);
  CHECK(node.commands[0] == "sb tandem/promote");
  CHECK(node.commands[1] == "nb tandem/promote");
  CHECK(node.attributes["position-ovndb_servers"]["ctl1"].starts_with("active,"));
  CHECK(node.attributes["master-ovndb_servers"]["ctl1"] == "1000");
  CHECK(memory.keeping);
}

TEST_CASE("A promotion behind another copy is refused, and the copy banned") {
  FakeNode node;
  Memory memory;
  node.attributes["position-ovndb_servers"]["ctl2"] = "final,5,150,5,150,ctl2";
  CHECK(node.run(order(Order::Action::kPromote), memory) == Exit::kError);
  CHECK(node.commands.empty());
  CHECK(node.attributes["master-ovndb_servers"]["ctl1"] == "-INFINITY");
}

TEST_CASE("An instance that is demoted and promoted again is compared with the others") {
  FakeNode node;
  Memory memory;
  Order promotion = order(Order::Action::kPromote);
  promotion.demoting = promotion.stopping = promotion.promoting = {"ctl1"};
  node.attributes["position-ovndb_servers"] = {{"ctl1", "final,5,100,5,100,ctl1"},
                                               {"ctl2", "final,5,150,5,150,ctl2"}};
  CHECK(node.run(promotion, memory) == Exit::kError);
  CHECK(node.commands.empty());
}

TEST_CASE("An active fails whose successor has been demoted for its sake") {
  FakeNode node;
  node.roles = {{"active", "active"}};
  node.attributes["position-ovndb_servers"]["ctl2"] = "cut,6,150,6,150,ctl2";
  Memory memory;
  memory.started = true;
  Order monitor = order(Order::Action::kMonitor);
  monitor.promoted = true;
  monitor.interval_ms = 10000;
  CHECK(node.run(monitor, memory) == Exit::kFailedPromoted);
  CHECK(node.attributes["position-ovndb_servers"].count("ctl1") == 0);
}

TEST_CASE("A monitor grants nothing while corosync does not answer, and takes nothing") {
  FakeNode node;
  node.roles = {{"active", "active"}};
  node.corosync_hangs = true;
  Memory memory;
  memory.started = true;
  Order monitor = order(Order::Action::kMonitor);
  monitor.promoted = true;
  monitor.interval_ms = 10000;
  CHECK(node.run(monitor, memory) == Exit::kPromoted);
  CHECK(node.commands.empty());
}

TEST_CASE("A stock server that answers nothing while it compacts is not killed") {
  FakeNode node;
  node.compacting_ms = 5000;
  Memory memory;
  memory.started = true;
  memory.stock = {{true, true}};
  Order monitor = order(Order::Action::kMonitor);
  monitor.interval_ms = 30000;
  CHECK(node.run(monitor, memory) == Exit::kSuccess);
  CHECK(node.kills == 0);
}

TEST_CASE("No action waits beyond four fifths of its timeout") {
  FakeNode node;
  Memory memory;
  Order promote = order(Order::Action::kPromote);
  promote.unpromoted_nodes = {"ctl2"};
  promote.timeout_ms = 3000;
  const std::int64_t began_ms = node.now_ms;
  CHECK(node.run(promote, memory) == Exit::kSuccess);  // it was asked in no notification
  CHECK(node.now_ms - began_ms <= promote.budget_ms());
}

TEST_CASE("A machine may end at any step") {
  FakeNode node;
  Machine machine(order(Order::Action::kStart), Memory{}, 0, 1);
  CHECK_FALSE(machine.take_steps().empty());
  CHECK_FALSE(machine.finished());
}

}  // namespace
}  // namespace tandem::agent
