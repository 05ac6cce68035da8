#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ocf/agent/decision/step.h"
#include "server/control/command_registry.h"
#include "server/control/role_control.h"
#include "server/daemon/errands.h"
#include "tests/simulation/agent/network.h"
#include "tests/simulation/node.h"

namespace tandem::simulation {

/// One of a machine's two servers, with its monitor process: as the agent starts it, asks it by its
/// control socket, and finds it dead. The commands are the server's own. Lives as long as the run.
class SimulatedServer final : private control::RoleControl {
 public:
  enum class State {
    kGone,
    kRuns,
    kStopped,     ///< by SIGSTOP
    kRestarting,  ///< it crashed, and its monitor process is about to start it again
  };
  struct Watchers {
    std::function<void()> lost;      ///< the process has ended
    std::function<void()> promoted;  ///< a promotion has succeeded
    std::function<void(const std::string& promise)> broken;
  };

  SimulatedServer(World& world, Network& network, std::size_t host, agent::Which which,
                  const Scenario& scenario, Ledger& ledger, const Guards& guards,
                  Watchers watchers);

  State state() const { return state_; }
  bool answers() const { return state_ == State::kRuns; }
  /// Might take writes.
  bool is_writable() const {
    return answers() && node_.process->role.state() == RoleState::kActive;
  }
  Node& node() { return node_; }
  /// Part of its file was changed, and it was not yet well again as a backup.
  bool is_damaged();
  /// Changes something in the middle of the file of a server that is gone, if it holds enough.
  bool damage();
  const std::string& database() const { return node_.scenario.databases.front(); }

  /// As ovn-ctl with these words. The error of a disk that cannot be read.
  Result<void> start(const std::vector<std::string>& words);
  /// With its monitor process.
  void kill();
  void crash();
  void set_stopped(bool stopped);
  /// A command on the control socket. Nothing is answered while the process is stopped.
  void ask(const std::string& command, control::Arguments arguments,
           std::function<void(agent::Answer)> take);

 private:
  void add_commands();
  void restart();
  /// As the server does: a change of many steps is not begun while the writer is busy.
  void when_writer_answers(std::function<void()> then, std::function<void(const Error&)> otherwise);
  /// A server that does not answer in time breaks a promise, whatever its disk does.
  std::function<void(agent::Answer)> watched(const std::string& command,
                                             std::function<void(agent::Answer)> take);
  std::shared_ptr<const Source> source(Epoch least_epoch) const;
  void apply_sync();

  // control::RoleControl
  control::ServerStatus status() override;
  void sessions(std::function<void(const std::vector<SessionFacts>&)> then) override { then({}); }
  void refresh(std::function<void(bool fresh)> then) override;
  void promote(const Promotion& promotion, control::Done done) override;
  void demote(const Demotion& demotion, control::DoneWithText done) override;
  void set_sync(const control::SyncSettings& settings) override;
  Result<void> set_sync_peers(const std::string&) override { return {}; }
  void set_node_name(const std::string&) override {}
  void set_advertised_role(AdvertisedRole) override {}
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) override {
    return node_.process->role.renew_lease(length_ms, epoch);
  }
  Result<void> disarm_lease() override { return node_.process->role.disarm_lease(); }
  void call_later(std::int64_t delay_ms, std::function<void()> task) override;

  World& world_;
  Network& network_;
  const std::size_t host_;
  const agent::Which which_;
  Node node_;
  const Watchers watchers_;
  control::CommandRegistry commands_;
  State state_ = State::kGone;
  bool damaged_ = false;
  std::string active_server_;
  control::SyncSettings sync_;
};

}  // namespace tandem::simulation
