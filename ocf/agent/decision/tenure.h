#pragma once

#include <cstdint>

#include "ocf/agent/decision/cluster.h"
#include "ocf/agent/decision/desk.h"
#include "ocf/agent/decision/election.h"
#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

/// The role while it is held: whether this node may call itself the active, the lease that the
/// servers are granted, and what is done about servers that died. Lives as long as the action.
class Tenure {
 public:
  Tenure(Desk& desk, Servers& servers, Cluster& cluster, Election& election)
      : desk_(desk), servers_(servers), cluster_(cluster), election_(election) {}

  enum class Right : std::uint8_t {
    kHeld,
    kLost,      ///< there is no quorum
    kBeside,    ///< another one has the role
    kReplaced,  ///< another one was promoted since, and has the role no more
    kUnseen,    ///< there is quorum, but it cannot be seen what the others say
    kUnknown,   ///< the cluster does not answer: neither renew nor revoke
  };
  /// By a look at what the others say, and a round trip to corosync. A lease that has run out
  /// counts here as well, since a server that has died and is promoted again knows of none.
  Task<Right> look();

  /// May the role be taken up again after its lease has run out? Another one may have been promoted
  /// meanwhile, of which this node hears later than of quorum. So its own notice has to have made a
  /// round trip through the cluster, and there has to be one of each node that had a full copy.
  Task<bool> may_return();

  bool has_leases() const { return desk_.settings().role_lease_s != 0; }
  /// How long a lease is: a monitor's interval and its timeout, so the longest time until the next
  /// one grants it again, in whole seconds, and 5 s more.
  std::int64_t lease_ms() const;
  /// Grants both servers the role. False: one of them was told of another active. What was not
  /// answered does not count as granted.
  Task<bool> grant(std::int64_t ms);
  /// Ends the right to write.
  Task<> revoke();
  /// Ends the right to write, and bans this instance, if another one was promoted later: of two
  /// actives Pacemaker has ended the wrong one.
  Task<> give_way();
  /// Publishes that this instance is active, and its score.
  Task<> announce();

  /// For an active that cannot write to its disk: has Pacemaker promote another instance, if there
  /// is one that has all it has. False: there is none. Requires a look().
  Task<bool> pass_on();
  /// Whether put_both_right() has failed, and has had Pacemaker promote another instance.
  bool passes_on() const { return passes_on_; }

  /// Makes both servers what they shall be: restarts those that died or hang, and gives both their
  /// role. None opens an epoch that the other one cannot.
  Task<bool> put_both_right(ServerState::Role role);

  /// Has the administrator told Pacemaker to leave the resource alone?
  Task<bool> is_unmanaged();
  /// Is the whole cluster in maintenance, or was it when Pacemaker last ran here? (Of a node alone
  /// others would take over its role.)
  Task<bool> is_in_maintenance(bool saved);

 private:
  bool has_run_out() const;
  bool sees_all() const;
  /// Another active that is ahead, or one that was promoted later and is no longer active. An
  /// earlier active's notice may still be there.
  const Notice* rival() const;
  /// Another instance has all that is here.
  bool has_heir() const;
  /// Restarts it as a backup if it is gone or hangs.
  Task<bool> repair(Which which, ServerState::Role role);
  Task<bool> put_in_role(Which which, ServerState::Role role);

  Desk& desk_;
  Servers& servers_;
  Cluster& cluster_;
  Election& election_;
  bool passes_on_ = false;
};

}  // namespace tandem::agent
