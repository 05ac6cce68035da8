#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/agent/agent_scenario.h"
#include "tests/simulation/agent/host.h"
#include "tests/simulation/pacemaker/pacemaker.h"

namespace tandem::simulation {

using Hosts = std::vector<std::unique_ptr<Host>>;

/// The promises of a cluster under Pacemaker, looked at as it runs and at its end:
///
/// - An active whose place another one has taken writes for no longer than its lease.
/// - What was acknowledged when enough backups had it is in each copy that is promoted, unless more
///   machines are missing than acknowledgements were waited for.
/// - What is lost in the end is in a file that was set aside.
/// - A copy whose file is damaged is not promoted before it is well again.
/// - The role moves no oftener than faults befall the cluster, some times each.
/// - An active whose disk hangs for long does not keep the role while a backup has all: AgentRun.
class Promises {
 public:
  Promises(World& world, const AgentScenario& scenario, Hosts& hosts,
           const pacemaker::Pacemaker& pacemaker)
      : world_(world), scenario_(scenario), hosts_(hosts), pacemaker_(pacemaker) {}

  /// Every kLookMs.
  void look();
  static constexpr std::int64_t kLookMs = 100;

  void acknowledged(Host& host, agent::Which which, std::int64_t number, bool durable);
  /// A server there has been promoted.
  void promoted(const Host& host, agent::Which which);
  /// All have converged, and these are the active's contents.
  void check_end(agent::Which which, const Contents& held);

  void broken(const std::string& promise);
  const std::vector<std::string>& all_broken() const { return broken_; }
  std::size_t acknowledged() const;
  std::size_t promotions() const { return promotions_; }
  /// How often the role went to another machine.
  std::size_t moves() const { return moves_; }
  void damaged() { any_damaged_ = true; }

 private:
  struct Write {
    bool durable = false;
    bool kept = false;     ///< enough backups had it when its client was told
    bool excused = false;  ///< those that had it were missing when another copy was promoted
  };
  bool takes_part(const Host& host, const Host& promoted) const;
  /// Has parted from the promoted one: each has what the other one lacks.
  bool has_parted(const Host& host, const Host& promoted, agent::Which which) const;

  World& world_;
  const AgentScenario& scenario_;
  Hosts& hosts_;
  const pacemaker::Pacemaker& pacemaker_;
  agent::Pair<std::map<std::int64_t, Write>> writes_;
  /// The last promotion, and whether more machines were missing then than were waited for.
  struct Promotion {
    Epoch epoch{};
    bool many_missing = false;
  };
  agent::Pair<Promotion> last_;
  agent::Pair<std::map<std::size_t, std::int64_t>> replaced_since_;  ///< active hosts
  std::vector<std::string> broken_;
  std::size_t promotions_ = 0;
  std::size_t moves_ = 0;
  std::optional<std::size_t> last_promoted_;  ///< host
  bool any_damaged_ = false;                  ///< a file was
};

}  // namespace tandem::simulation
