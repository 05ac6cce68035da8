#pragma once

// The role of a server: which of its databases are backups, and whether the others may be written.
// A machine: events come in as calls, with the time; what is to be done is taken from it with
// take_actions() after each. Whatever a server shows of its role (status, /active, the remotes that
// are bound to it, writability) comes from here.
//
//   backup     promote -> promoting
//   promoting  promotion written -> active (or expired); refused -> backup; demote -> backup
//   active     demote -> draining; lease runs out, or another is made active -> expired
//   expired    lease granted -> active; demote -> draining
//   draining   drained, or waited long enough -> backup; undone -> active; promote -> promoting
//
// A change of role that is asked for while another is under way overtakes it: that one is answered
// with an error. A server some of whose databases are backups is a backup.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replication/role/drain.h"
#include "replication/role/lease.h"
#include "replication/role/role_action.h"

namespace tandem {

enum class RoleState : std::uint8_t {
  kBackup,
  kPromoting,  ///< a backup whose promotion is being written
  kActive,
  kExpired,   ///< active, but its lease has run out: read-only
  kDraining,  ///< takes no writes any more; its backups get what they lack
};

/// Has the role, whether it may use it or not.
inline bool has_active_role(RoleState state) {
  return state == RoleState::kActive || state == RoleState::kExpired;
}

/// A promotion, with facts of the moment in which it is asked for: the epoch is the greatest of the
/// databases.
struct PromotionWanted {
  bool force = false;            ///< also when a database never had anything
  std::optional<Epoch> above{};  ///< the new epoch is greater, also if the server is active already
  std::optional<Height> least{};  ///< not if a copy goes less far
  bool give_up_damaged = false;   ///< also with a damaged file, without what is behind the damage
  std::string never_synced{};     ///< a database that is empty, and never was in sync
  Epoch epoch{};
};

struct DemotionWanted {
  BackupSet backups{};          ///< the databases that are to be backups
  std::string follows{};        ///< whom they follow, for the log
  bool depose = false;          ///< the one that is followed is told that another is made active
  std::string successor{};      ///< the backup that is to be active, if it is known
  bool if_drained = false;      ///< undone if the successor has not everything
  bool until_followed = false;  ///< answered when the connection to the active shows something
};

/// Lives on one thread, as long as its server.
class Role {
 public:
  using Actions = std::vector<RoleAction>;

  /// The actions that follow from the last events.
  Actions take_actions() { return std::exchange(actions_, {}); }

  // The role

  RoleState state(std::int64_t now_ms) const {
    const bool expired = lease_.state(now_ms) == Lease::State::kExpired;
    return state_ == RoleState::kActive && expired ? RoleState::kExpired : state_;
  }
  const BackupSet& backups() const { return backups_; }
  const Lease& lease() const { return lease_; }
  /// The last change that has begun, whether it has ended or not.
  RoleChange newest_change() const { return newest_; }

  // Events: start

  /// Takes over the lease that a server that crashed was granted.
  void resume(const Lease& lease) { lease_ = lease; }
  /// The databases are open; nobody can connect yet.
  void start(const BackupSet& backups);
  /// From now on it serves.
  void serve(std::int64_t now_ms);
  /// Databases were added.
  void databases_changed() { set_writable(); }

  // Events: somebody asks. The numbers of changes rise; each gets one Answer.

  void promote(RoleChange change, const PromotionWanted& wanted);
  void demote(RoleChange change, const DemotionWanted& wanted, std::int64_t now_ms);
  /// The configuration says which databases are to be backups.
  void reload(RoleChange change, const BackupSet& backups);
  /// Refused in an epoch other than `wanted`, or one in which another server was made active.
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted, Epoch epoch,
                           std::int64_t now_ms);
  Result<void> disarm_lease(Epoch epoch, std::int64_t now_ms);
  /// A backup says that another server is being made active.
  void depose(Epoch epoch, std::int64_t now_ms);

  // Events: an action has ended. Those of changes that were overtaken mean nothing.

  void databases_set(RoleChange change);
  void backups_seen(RoleChange change, const std::vector<DrainedDatabase>& databases, bool fresh,
                    std::int64_t now_ms);
  void promotion_written(RoleChange change, const Result<void>& durable, std::int64_t now_ms);
  void promotion_refused(RoleChange change, const Error& error);
  /// `failed`: the databases that could not be promoted.
  void settled(RoleChange change, const std::map<std::string, Error>& failed, std::int64_t now_ms);
  void followed(RoleChange change);
  void timer(std::int64_t now_ms);

 private:
  enum class Kind : std::uint8_t { kPromotion, kDemotion, kReload };
  /// The change under way.
  struct Change {
    RoleChange id;
    Kind kind;
    BackupSet wanted{};           ///< of a reload
    bool databases_set = false;   ///< of a demotion
    bool until_followed = false;  ///< the answer waits for the connection to the active
    Result<std::string> result = with_text("");  ///< that waits
  };

  /// Overtakes the one that is under way.
  Change& begin(RoleChange id, Kind kind);
  bool is_current(RoleChange change) const { return change_ && change_->id == change; }
  void answer(const Result<std::string>& result);
  /// Active or expired, as the lease says.
  void become_active(std::int64_t now_ms);
  void become_backup(const Result<std::string>& result);
  void end_demotion(const std::string& report);
  void undo_demotion(const std::string& report, std::int64_t now_ms);
  void look_at_lease(std::int64_t now_ms);
  void set_writable();
  void set_timer();
  void log(LogRole::Level level, std::string text);

  RoleState state_ = RoleState::kBackup;
  BackupSet backups_ = BackupSet::all();
  Lease lease_;
  RoleChange newest_{};
  std::optional<Change> change_;
  std::optional<Drain> drain_;           // while draining
  std::optional<std::int64_t> look_ms_;  // when to look at the backups again
  Actions actions_;
};

}  // namespace tandem
