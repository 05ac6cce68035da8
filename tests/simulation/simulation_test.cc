// Three servers, one of them active, a client that writes, and a manager that obeys: connections
// break and stall, servers are killed and come back, the role moves, files are compacted. What must
// hold, whatever the seed: with the gate on, no acknowledged write is lost; with it off, none is
// lost but into a file that was set aside; servers with equal digests have equal contents; and in
// the end all are equal.

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "server/logging/vlog.h"
#include "tests/simulation/node.h"

namespace tandem::simulation {
namespace {

/// One "transact" of the client.
struct Call final : TransactCall {
  std::function<void()> succeeded;

  void done() override {
    if (canceled || refused) return;
    std::string text;
    result.append_json(text);
    if (text.find("\"error\"") == std::string::npos) succeeded();
  }
};

class Run {
 public:
  Run(std::uint64_t seed, const CommitGate::Options& gate, bool power_fails)
      : world_(seed),
        gate_(gate),
        power_fails_(power_fails),
        nodes_{Node(world_, "a", gate), Node(world_, "b", gate), Node(world_, "c", gate)} {}

  void run() {
    for (Node& node : nodes_) node.start();
    make_active(0);
    write();
    fault();
    compare();
    world_.run_until(kFaultsMs);
    quiet_ = true;
    for (int i = 0; i < 600 && !(i > 30 && converged()); ++i) {
      world_.run_until(world_.monotonic_ms() + 200);
    }
    check();
  }

 private:
  static constexpr std::int64_t kFaultsMs = 15'000;

  Node& active() { return nodes_[active_]; }
  bool all_up() {
    return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& n) { return n.is_up(); });
  }
  Node& some_node() { return nodes_[world_.random(nodes_.size())]; }
  std::int64_t ms(std::uint64_t below) { return static_cast<std::int64_t>(world_.random(below)); }

  void make_active(std::size_t index) {
    active_ = index;
    Process& process = *active().process;
    process.stop_following();
    process.server.call(
        [&] {
          process.server.promote(process.database());
          process.server.flush();
        },
        process.shard);
    for (Node& node : nodes_) {
      if (&node != &active() && node.is_up()) node.process->follow(active());
    }
  }
  void elect() {
    std::size_t best = nodes_.size();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!nodes_[i].is_up()) continue;
      nodes_[i].process->stop_following();
      if (best == nodes_.size() || nodes_[i].position() > nodes_[best].position()) best = i;
    }
    make_active(best);
  }
  void restart(Node& node) {
    node.start();
    if (&node != &active()) node.process->follow(active());
  }

  void write() {
    if (quiet_) return;
    world_.after(1 + ms(40), [this] { write(); });
    if (!active().is_up()) return;
    const std::int64_t number = ++written_;
    const bool ephemeral = world_.chance(10);
    const std::string operation =
        ephemeral
            ? R"({"op":"update","table":"t","where":[],"row":{"s":")" + std::to_string(number) +
                  "\"}}"
            : R"({"op":"insert","table":"t","row":{"s":"new","n":)" + std::to_string(number) + "}}";
    auto call = std::make_unique<Call>();
    Process& process = *active().process;
    call->mailbox = &process.hub->mailbox();
    call->session = SessionId{1'000'000 + static_cast<std::uint64_t>(number)};
    call->database = "T";
    call->params = parse_json("[\"T\"," + operation + "]").value().as_array();
    if (!ephemeral)
      call->succeeded = [this, number] { acknowledged_.insert(number); };
    else
      call->succeeded = [] {};
    process.server.submit(
        [&process, call = std::move(call)]() mutable { process.server.transact(std::move(call)); },
        process.shard);
  }

  void fault() {
    if (quiet_) return;
    world_.after(100 + ms(1200), [this] { fault(); });
    switch (world_.random(6)) {
      case 0:
        if (Node& node = some_node(); node.is_up() && node.process->wire())
          node.process->wire()->cut();
        return;
      case 1:
        if (Node& node = some_node(); node.is_up() && node.process->wire())
          node.process->wire()->stall(ms(3000));
        return;
      case 2:
      case 3: {
        if (!all_up()) return;
        Node& node = some_node();
        const bool was_active = &node == &active();
        node.kill();
        if (power_fails_) node.disk.power_loss(world_.random(UINT32_MAX));
        if (was_active) elect();
        world_.after(ms(3000), [this, &node] { restart(node); });
        return;
      }
      case 4: {
        if (!all_up()) return;
        Process& process = *active().process;
        process.server.call([&] { process.server.set_backup(process.database(), true); },
                            process.shard);
        elect();
        return;
      }
      case 5:
        if (Node& node = some_node(); node.is_up()) {
          Process& process = *node.process;
          process.server.submit(
              [&process] {
                process.server.compact(process.database(), [](const Result<void>&) {});
              },
              process.shard);
        }
        return;
      default:
        return;
    }
  }

  /// Equal digests mean equal contents, at any time.
  void compare() {
    if (quiet_) return;
    world_.after(300, [this] { compare(); });
    for (std::size_t i = 0; i + 1 < nodes_.size(); ++i) {
      for (std::size_t j = i + 1; j < nodes_.size(); ++j) {
        if (!nodes_[i].is_up() || !nodes_[j].is_up()) continue;
        if (nodes_[i].position().digest == nodes_[j].position().digest)
          REQUIRE(nodes_[i].numbers() == nodes_[j].numbers());
      }
    }
  }

  bool converged() {
    if (!all_up()) return false;
    return std::all_of(nodes_.begin(), nodes_.end(), [this](Node& node) {
      if (node.position() != active().position()) return false;
      const auto follower = node.process->follower();
      return &node == &active() ||
             (follower && follower->state == FollowerStatus::State::kReplicating);
    });
  }

  void check() {
    REQUIRE(all_up());
    const std::set<std::int64_t> held = active().numbers();
    for (Node& node : nodes_) {
      if (const auto follower = node.process->follower()) {
        INFO(follower->error);
        CHECK(to_string(follower->state) == "replicating");
      }
      CHECK(node.position().to_string() == active().position().to_string());
      CHECK(node.numbers() == held);
    }
    for (const std::int64_t number : acknowledged_) {
      if (held.contains(number)) continue;
      INFO("lost write " << number);
      if (power_fails_) continue;  // it was acknowledged, but not synced
      CHECK(gate_.replicas == 0);
      CHECK(is_set_aside(number));
    }
    CHECK(acknowledged_.size() > 10);
  }

  bool is_set_aside(std::int64_t number) {
    const std::string text = "\"n\":" + std::to_string(number) + '}';
    for (Node& node : nodes_) {
      for (const std::string& path : node.disk.paths()) {
        if (path.find(".diverged-") != std::string::npos &&
            node.disk.contents(path).find(text) != std::string::npos)
          return true;
      }
    }
    return false;
  }

  World world_;
  const CommitGate::Options gate_;
  const bool power_fails_;
  std::array<Node, 3> nodes_;
  std::size_t active_ = 0;
  bool quiet_ = false;
  std::int64_t written_ = 0;
  std::set<std::int64_t> acknowledged_;
};

/// How many runs, and from which seed: TANDEM_SEEDS and TANDEM_SEED in the environment.
std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

void run_seeds(const CommitGate::Options& gate, bool power_fails = false) {
  static_cast<void>(log::apply_spec("off"));
  const std::uint64_t first = setting("TANDEM_SEED", 1);
  const std::uint64_t count = setting("TANDEM_SEEDS", 200);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    INFO("seed " << seed);
    Run(seed, gate, power_fails).run();
  }
}

TEST_CASE("with the gate on no acknowledged write is lost, and all servers end equal") {
  run_seeds({1, 500, CommitGate::Fallback::kBlock});
}

TEST_CASE("without the gate no acknowledged write is lost but into a file set aside") {
  run_seeds({0, 500, CommitGate::Fallback::kAsync});
}

TEST_CASE("servers whose power fails end equal, and equal digests mean equal contents") {
  run_seeds({1, 500, CommitGate::Fallback::kAsync}, true);
}

}  // namespace
}  // namespace tandem::simulation
