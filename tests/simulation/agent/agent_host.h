#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "ocf/agent/decision/machine.h"
#include "tests/simulation/agent/simulated_ports.h"
#include "tests/simulation/pacemaker/node_agent.h"

namespace tandem::simulation {

struct Host;

/// The faults of the agent's processes; percent of them.
struct AgentFaults {
  unsigned frozen = 0;       ///< stop at some moment, until the action's timeout
  unsigned ends_early = 0;   ///< what goes on after the answer is killed at some moment
  unsigned slow_starts = 0;  ///< take up to 3 s to start
};

/// The programs tandem-agent of one machine: each action of Pacemaker's, what goes on behind it,
/// and the keeper; their lock, and the memory that they share. It drives the real decisions. Lives
/// while the machine is up.
class AgentHost final : public pacemaker::NodeAgent {
 public:
  AgentHost(World& world, Host& host, pacemaker::ClusterTools& tools,
            const agent::Settings& settings, const AgentFaults& faults, const Guards& guards)
      : world_(world),
        host_(host),
        settings_(settings),
        faults_(faults),
        ports_(world, host, tools, guards) {}

  void begin(const pacemaker::Request& request, Done done) override;
  void kill() override;

  /// The process of that server has ended.
  void server_lost();
  /// The fault of the agent itself; empty: none.
  const std::string& complaint() const { return complaint_; }
  std::string take_complaint() { return std::exchange(complaint_, ""); }
  const agent::Memory& memory() const { return memory_; }
  const SimulatedPorts& ports() const { return ports_; }
  /// When one of its actions last stopped, until Pacemaker's timeout; 0: never.
  std::int64_t froze_at_ms() const { return froze_at_ms_; }
  /// The cluster has noted that this machine had full copies.
  bool is_full_copy() const;

 private:
  using Id = std::uint64_t;
  /// A process of tandem-agent.
  struct Program {
    agent::Order order;
    Done done;  ///< Pacemaker waits for the answer; empty: not (any more)
    bool keeps = false;
    std::int64_t began_ms = 0;
    bool frozen = false;
    std::unique_ptr<agent::Machine> machine{};
    std::size_t open = 0;  ///< steps without answer
  };

  agent::Order order_of(const pacemaker::Request& request) const;
  Id run(agent::Order order, Done done, bool keeps);
  void take_lock(Id id, std::int64_t patience_end_ms);
  void begin_machine(Id id);
  void go_on(Id id);
  void answer_pacemaker(Program& program);
  void answered(Id id, std::uint64_t step, agent::Answer answer);
  void end(Id id);
  void begin_step(Id id, agent::Step step);
  bool begin_own(Id id, const agent::Step& step, const SimulatedPorts::Take& take);
  void watch(Id id, const SimulatedPorts::Take& take);
  std::optional<agent::Answer> look_at_watched();
  void complain(Id id, const std::string& what);
  template <class F>
  void later(std::int64_t ms, F f) {
    world_.after(ms, [alive = std::weak_ptr(alive_), f = std::move(f)] {
      if (!alive.expired()) f();
    });
  }

  World& world_;
  Host& host_;
  const agent::Settings& settings_;
  const AgentFaults& faults_;
  SimulatedPorts ports_;
  agent::Memory memory_;
  std::map<Id, Program> programs_;
  Id last_id_ = 0;
  std::optional<Id> locked_by_;
  std::int64_t froze_at_ms_ = 0;
  std::optional<Id> asked_;  ///< the program that Pacemaker waits for
  std::optional<Id> keeper_;
  agent::Pair<std::uint64_t> watched_;  ///< which process of each server; 0: none
  SimulatedPorts::Take watcher_;
  std::string complaint_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation
