#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replication/role/role.h"
#include "server/control/role_control.h"
#include "server/daemon/errands.h"
#include "server/daemon/handover.h"
#include "server/daemon/home_timer.h"
#include "server/daemon/role_log.h"
#include "server/writer/database_server.h"

namespace tandem {

/// Executes what the server's Role decides, and tells it how that ended. Decides nothing itself.
/// Lives on the home thread, as long as the server.
class RoleHost {
 public:
  /// The parts of the server that are not the writer's. Calls come from home.
  class Port {
   public:
    virtual ~Port() = default;
    /// Follows what the backups are to follow; `settled` runs on home when that has shown
    /// something.
    virtual void follow(Task settled) = 0;
    /// `done` runs on the writer, behind all that had arrived.
    virtual void stop_following(Task done) = 0;
    /// The same, but what these backups follow, and are to follow, goes on.
    virtual void stop_following_but(const BackupSet& backups, Task done) = 0;
    virtual void depose_active() = 0;
    virtual void set_listening(bool listening) = 0;
    virtual void save_state() = 0;
    virtual control::ServerStatus status() = 0;
    virtual void refresh(std::function<void(bool fresh)> then) = 0;
  };

  RoleHost(Port& port, DatabaseServer& databases, SyncThread& sync_thread, Errands& errands,
           Errands::HandIn to_writer, net::IoShard& home);

  /// Takes over the role's state of a server that crashed.
  void resume(const HandoverState& before);
  void save_to(HandoverState& state) const;
  /// The databases are open; nobody can connect yet.
  void start(const BackupSet& backups);
  /// From now on it serves.
  void serve();

  RoleState state() const { return role_.state(net::IoShard::now_ms()); }
  const BackupSet& backups() const { return role_.backups(); }
  const Lease& lease() const { return role_.lease(); }
  /// The last changes of role, the newest first.
  const std::vector<control::RoleNote>& changes() const { return log_.changes(); }

  // The events of Role. `done` runs on home.
  void promote(const control::RoleControl::Promotion& promotion, control::Done done);
  void demote(const DemotionWanted& wanted, control::DoneWithText done);
  void reload(const BackupSet& backups, control::Done done);
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted);
  Result<void> disarm_lease();
  void depose();
  void databases_changed();

 private:
  RoleChange begin(control::DoneWithText done);
  /// Executes what the Role wants done since its last event.
  void execute();
  void note_role();
  void execute(const SetWritable& action);
  void execute(const WritePromotion& action);
  void execute(const SettleDatabases& action);
  void execute(const LookAtBackups& action);
  void execute(const Follow& action);
  void execute(const DeposeActive& action);
  void execute(const SetListening& action);
  void execute(const SetTimer& action);
  void execute(const SaveRole& action);
  void execute(const Answer& action);
  static void execute(const LogRole& action);

  // On the writer.
  void set_writable(const SetWritable& action);
  void write_promotion(const WritePromotion& action);
  void settle(const SettleDatabases& action);

  void promoted(RoleChange change, const Result<void>& durable);
  void backups_seen(RoleChange change, bool fresh);

  Port& port_;
  DatabaseServer& databases_;
  SyncThread& sync_thread_;
  Errands& errands_;
  const Errands::HandIn to_writer_;
  net::IoShard& home_;
  Role role_;
  RoleLog log_;
  HomeTimer timer_;
  std::uint64_t changes_ = 0;                            // so far
  std::map<RoleChange, control::DoneWithText> waiting_;  // for the end of their change
  std::atomic<RoleChange> newest_{};  // as the writer sees it: those before are overtaken
};

}  // namespace tandem
