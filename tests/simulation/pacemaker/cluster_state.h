#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tandem::simulation::pacemaker {

/// Pacemaker's scores: sums stay between the infinities, and the negative one wins.
struct Score {
  static constexpr int kInfinity = 1'000'000;
  int value = 0;

  friend Score operator+(Score a, Score b) {
    if (a.value <= -kInfinity || b.value <= -kInfinity) return {-kInfinity};
    if (a.value >= kInfinity || b.value >= kInfinity) return {kInfinity};
    return {std::clamp(a.value + b.value, -kInfinity, kInfinity)};
  }
  friend auto operator<=>(Score, Score) = default;
  bool is_ban() const { return value <= -kInfinity; }
  /// "100", "-INFINITY".
  static std::optional<Score> parse(const std::string& text);
  std::string to_string() const;
};

enum class Operation { kProbe, kStart, kStop, kPromote, kDemote, kMonitor, kMonitorPromoted };

/// Return codes of OCF.
enum class Ocf : int {
  kSuccess = 0,
  kError = 1,
  kNotInstalled = 5,
  kNotRunning = 7,
  kRunningPromoted = 8,
  kFailedPromoted = 9
};

/// The last action of a resource on a node that did not end as it should.
struct Failure {
  Operation operation = Operation::kMonitor;
  Ocf code = Ocf::kError;
};

/// A resource on a node, as the history of its actions there tells.
struct History {
  enum class Role { kUnknown, kStopped, kUnpromoted, kPromoted };
  Role role = Role::kUnknown;  ///< after the last action that succeeded
  bool monitored = false;      ///< the monitor of that role is running
  std::optional<Failure> failure{};
  Score fail_count{};

  bool is_active() const { return role == Role::kUnpromoted || role == Role::kPromoted; }
};

/// One node, as the cluster information base has it.
struct NodeState {
  enum class Presence { kOnline, kOffline, kUnclean };
  std::string name{};
  Presence presence = Presence::kOnline;
  bool standby = false;
  bool maintenance = false;
  History databases{};
  History address{};
  std::optional<Score> promotion_score{};  ///< the attribute that the agent wrote
  Score promoted_preference{};   ///< location constraint of the databases with role=Promoted
  Score databases_preference{};  ///< location constraint of the databases
  Score address_preference{};    ///< location constraint of the address

  bool is_online() const { return presence == Presence::kOnline; }
};

/// The scheduler computes a transition from this: a promotable clone with notify=true of one
/// promoted instance, and an address that is colocated with it and starts after its promotion.
struct ClusterState {
  std::vector<NodeState> nodes{};
  bool has_address = true;
  bool has_quorum = true;
  bool maintenance = false;
  Score migration_threshold{Score::kInfinity};
};

}  // namespace tandem::simulation::pacemaker
