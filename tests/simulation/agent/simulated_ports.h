#pragma once

#include <functional>
#include <memory>
#include <string>

#include "ocf/agent/decision/step.h"
#include "tests/simulation/guards.h"
#include "tests/simulation/pacemaker/node_agent.h"
#include "tests/simulation/world.h"

namespace tandem::simulation {

struct Host;

/// Takes the agent's steps on one machine, in simulated time: those on its servers and those by
/// Pacemaker's tools. Lives while the machine is up.
class SimulatedPorts {
 public:
  using Take = std::function<void(agent::Answer)>;

  SimulatedPorts(World& world, Host& host, pacemaker::ClusterTools& tools, const Guards& guards)
      : world_(world), host_(host), tools_(tools), guards_(guards) {}
  const pacemaker::ClusterTools& tools() const { return tools_; }

  /// Answers once, by the limit at the latest.
  void begin(const agent::Step& step, Take take);

  std::size_t longest_attribute() const { return longest_attribute_; }

 private:
  void take(const agent::AskServer& step, Take take);
  void take(const agent::LookAtServer& step, Take take);
  void take(const agent::StartServer& step, Take take);
  void take(const agent::AwaitServerEnd& step, Take take);
  void take(const agent::KillServer& step, Take take);
  void take(const agent::RunCtl& step, Take take);
  void take(const agent::ReadAttribute& step, Take take);
  void take(const agent::WriteAttribute& step, Take take);
  void take(const agent::ReadProperty& step, Take take);
  void take(const agent::WriteProperty& step, Take take);
  void take(const agent::AskManaged& step, Take take);
  void take(const agent::AskCorosync& step, Take take);
  void take(const agent::AskController& step, Take take);
  void take(const agent::ReportFailure& step, Take take);
  void take(const agent::Pause& /*step*/, const Take& /*take*/) {}
  // Steps about what this machine does not have are done at once.
  template <class Other>
  void take(const Other& /*step*/, Take take) {
    soon(1, [take] { take({agent::Answer::Outcome::kDone, "", {}}); });
  }

  std::string masked(const std::string& host, std::string notice) const;
  void await_end(agent::Which which, std::uint64_t process, const Take& take);
  void soon(std::int64_t most_ms, std::function<void()> then);
  /// As long as a tool of Pacemaker's takes.
  void by_tool(std::function<void()> then) { soon(25, std::move(then)); }

  World& world_;
  Host& host_;
  pacemaker::ClusterTools& tools_;
  const Guards& guards_;
  std::size_t longest_attribute_ = 0;
  std::string own_notice_;  ///< as last written
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation
