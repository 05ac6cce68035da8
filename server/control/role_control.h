#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/control/server_control.h"
#include "server/control/server_status.h"
#include "server/session/session_facts.h"

namespace tandem::control {

/// What the tandem/ commands need of the server. Implemented by the server; outlives the commands.
/// All calls come from the control thread. None waits for the writer: what takes time ends in a
/// call to `done`, on the control thread.
class RoleControl {
 public:
  virtual ~RoleControl() = default;

  virtual ServerStatus status() = 0;
  /// Runs `then` on the control thread when status() is up to date in all; or after a moment, if
  /// the writer is busy: then it is not `fresh`.
  virtual void refresh(std::function<void(bool fresh)> then) = 0;

  /// Hands over all clients as they stand; after a second those that client threads have told of by
  /// then.
  virtual void sessions(std::function<void(const std::vector<SessionFacts>&)> then) = 0;

  struct Promotion {
    bool force = false;  ///< also when a database never had anything
    /// The new epoch is to be greater than this, also if the server is active already.
    std::optional<Epoch> above{};
    /// Not if a database's copy goes less far: somebody has more.
    std::optional<Height> least{};
    /// Also with a damaged file: what is behind the damage is given up.
    bool give_up_damaged = false;
  };
  /// Becomes active. `done` comes when all that had arrived is applied and the record of the
  /// promotion is on the disk. If that cannot be written it stays a backup.
  virtual void promote(const Promotion& promotion, Done done) = 0;
  struct Demotion {
    std::string active;   ///< whom to follow; empty: the one that is set
    Epoch least_epoch{};  ///< not if its epoch is below this
    /// The one that is followed until now is told that another is being made active.
    bool depose = false;
    std::string successor{};  ///< node of the backup that is to be active: it is waited for longer
    bool if_drained = false;  ///< undone if the successor has not everything in the end
  };
  /// Becomes a backup. The text says which backups lack something: Drain::report().
  virtual void demote(const Demotion& demotion, DoneWithText done) = 0;

  virtual void set_sync(const SyncSettings& settings) = 0;
  /// The clients that may be backups: "any", or names of certificates with commas between them.
  virtual Result<void> set_sync_peers(const std::string& names) = 0;
  /// The name of this server's node, as its cluster manager has it; empty: the host's name.
  virtual void set_node_name(const std::string& name) = 0;
  /// Changes how "_Server" shows the role.
  virtual void set_advertised_role(AdvertisedRole role) = 0;
  /// Grants the role for so long. Refused if the server's epoch is not `epoch`, if that is given,
  /// or if another server was made active in it.
  virtual Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) = 0;
  /// From now on the role alone decides. Refused as renew_lease() is.
  virtual Result<void> disarm_lease() = 0;

  /// Runs `task` on the control thread after that time.
  virtual void call_later(std::int64_t delay_ms, std::function<void()> task) = 0;
};

}  // namespace tandem::control
