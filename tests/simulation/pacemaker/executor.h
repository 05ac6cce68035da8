#pragma once

#include <deque>
#include <memory>

#include "tests/simulation/pacemaker/node_agent.h"
#include "tests/simulation/world.h"

namespace tandem::simulation::pacemaker {

/// Faults that befall the actions of a node.
struct Faults {
  unsigned late_notifications = 0;    ///< percent that come up to 5 s late
  unsigned lost_notifications = 0;    ///< percent that never come
  unsigned killed_notifications = 0;  ///< percent whose agent hangs until its timeout
};

/// Pacemaker's executor on one node: runs the actions of the databases one after the other, kills
/// those that exceed their timeout, repeats monitors, and keeps the history. The machine's death
/// destroys it.
class Executor {
 public:
  using Done = std::function<void(Ocf)>;
  /// A monitor that recurs found something else than before.
  using Changed = std::function<void()>;

  Executor(World& world, NodeAgent& agent, const Faults& faults, Changed changed)
      : world_(world), agent_(agent), faults_(faults), changed_(std::move(changed)) {}

  /// One action; `operation` for the history (nothing: a notification, which has none).
  void run(Request request, std::optional<Operation> operation, Done done);
  /// Monitors that role from now on.
  void monitor(bool promoted);
  void cancel_monitor() {
    ++monitors_;
    history_.monitored = false;
  }

  const History& history() const { return history_; }
  /// As crm_resource --fail does.
  void fail();
  /// As the administrator does (crm_resource --cleanup), or the controller at a start.
  void forget_failures() {
    history_.failure.reset();
    history_.fail_count = {};
  }
  /// Pacemaker was stopped and started here: the resource may run, and nothing is known of it.
  void forget() {
    history_ = {};
    ++monitors_;
  }
  std::int64_t longest_ms() const { return longest_ms_; }
  /// Actions that their timeout ended although the agent had begun them.
  std::size_t killed() const { return killed_; }

 private:
  struct Job {
    Request request;
    std::optional<Operation> operation;
    Done done;
  };
  void next();
  void end(std::uint64_t number, Ocf code, bool killed);
  void note(const Job& job, Ocf code);
  void note_probe(Ocf code);
  void repeat(bool promoted, std::uint64_t number);

  World& world_;
  NodeAgent& agent_;
  const Faults& faults_;
  Changed changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  std::uint64_t number_ = 0;    // of the action that runs
  std::uint64_t monitors_ = 0;  // the one that recurs is the last
  std::int64_t began_ms_ = 0;
  std::int64_t longest_ms_ = 0;
  std::size_t killed_ = 0;
  bool begun_ = false;  ///< the agent has begun the action that runs
  History history_{};
  std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace tandem::simulation::pacemaker
