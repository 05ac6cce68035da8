#include "server/daemon/role_host.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "server/control/facts_report.h"
#include "server/logging/log.h"
#include "server/posix/mutex.h"
#include "server/writer/open_epochs.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

/// Waits until several logs are on the disk.
struct Durability {
  std::atomic<std::size_t> pending;
  Mutex mutex;
  Result<void> outcome;  // the first error; under the mutex as long as some are pending
};

/// The epoch in which a server writes, or last wrote: the greatest of its databases.
Epoch epoch_of(const control::ServerStatus& status) {
  Epoch greatest{};
  for (const control::DatabaseStatus& database : status.databases)
    greatest = std::max(greatest, database.entry.position.epoch);
  return greatest;
}

/// A database that never was in sync with an active server, and is empty: the worst that could take
/// the place of a full one. Empty: there is none.
std::string never_synced(const control::ServerStatus& status) {
  for (const control::DatabaseStatus& database : status.databases) {
    if (database.relay) continue;
    const bool follows =
        database.follower && database.follower->state == FollowerStatus::State::kReplicating;
    if (database.entry.position.index == 0 && !follows) return database.name;
  }
  return "";
}

}  // namespace

RoleHost::RoleHost(Port& port, DatabaseServer& databases, SyncThread& sync_thread, Errands& errands,
                   Errands::HandIn to_writer, net::IoShard& home)
    : port_(port),
      databases_(databases),
      sync_thread_(sync_thread),
      errands_(errands),
      to_writer_(std::move(to_writer)),
      home_(home),
      timer_(home, [this] {
        role_.timer(net::IoShard::now_ms());
        execute();
      }) {}

// --- start, and what outlives a crash ---

void RoleHost::resume(const HandoverState& before) {
  std::optional<std::int64_t> deadline_ms;
  if (before.lease_deadline_ms != 0) deadline_ms = before.lease_deadline_ms;
  std::optional<Epoch> deposed;
  if (before.deposed_epoch) deposed = Epoch{*before.deposed_epoch};
  Lease lease;
  lease.resume(before.lease_length_ms, deadline_ms, deposed);
  role_.resume(lease);
  log_.resume(before.role_changes);
}

void RoleHost::save_to(HandoverState& state) const {
  state.backup = !has_active_role(this->state());
  state.role_changes = log_.to_texts();
  state.lease_length_ms = lease().length_ms();
  state.lease_deadline_ms = lease().deadline_ms().value_or(0);
  if (lease().deposed()) state.deposed_epoch = static_cast<std::uint64_t>(*lease().deposed());
}

void RoleHost::start(const BackupSet& backups) {
  role_.start(backups);
  execute();
}

void RoleHost::serve() {
  role_.serve(net::IoShard::now_ms());
  execute();
}

// --- events ---

RoleChange RoleHost::begin(control::DoneWithText done) {
  const RoleChange change{++changes_};
  waiting_.emplace(change, std::move(done));
  return change;
}

void RoleHost::promote(const control::RoleControl::Promotion& promotion, control::Done done) {
  const control::ServerStatus status = port_.status();
  role_.promote(begin(control::without_text(std::move(done))),
                {.force = promotion.force,
                 .above = promotion.above,
                 .least = promotion.least,
                 .give_up_damaged = promotion.give_up_damaged,
                 .never_synced = never_synced(status),
                 .epoch = epoch_of(status)});
  execute();
}

void RoleHost::demote(const DemotionWanted& wanted, control::DoneWithText done) {
  role_.demote(begin(std::move(done)), wanted, net::IoShard::now_ms());
  execute();
}

void RoleHost::reload(const BackupSet& backups, control::Done done) {
  role_.reload(begin(control::without_text(std::move(done))), backups);
  execute();
}

Result<void> RoleHost::renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted) {
  const Result<void> renewed =
      role_.renew_lease(length_ms, wanted, epoch_of(port_.status()), net::IoShard::now_ms());
  execute();
  return renewed;
}

Result<void> RoleHost::disarm_lease() {
  const Result<void> disarmed =
      role_.disarm_lease(epoch_of(port_.status()), net::IoShard::now_ms());
  execute();
  return disarmed;
}

void RoleHost::depose() {
  role_.depose(epoch_of(port_.status()), net::IoShard::now_ms());
  execute();
}

void RoleHost::databases_changed() {
  role_.databases_changed();
  execute();
}

// --- actions ---

void RoleHost::execute() {
  newest_ = role_.newest_change();
  note_role();
  for (const RoleAction& action : role_.take_actions())
    std::visit([this](const auto& a) { this->execute(a); }, action);
}

/// The first role is that of the start, and what a lease does is Role's own to say.
void RoleHost::note_role() {
  const bool first = log_.changes().empty();
  const RoleState former = first ? RoleState::kExpired : log_.changes().front().role;
  if (!log_.note(state(), net::IoShard::now_ms()) || first) return;
  if (former != RoleState::kExpired && state() != RoleState::kExpired)
    server_log.info("role: {}", control::role_name(state()));
}

void RoleHost::execute(const SetWritable& action) {
  errands_.finish(
      to_writer_,
      [this, action] {
        set_writable(action);
        return Result<void>();
      },
      [this, change = action.change](const Result<void>&) {
        role_.databases_set(change);
        execute();
      });
}

void RoleHost::execute(const WritePromotion& action) {
  port_.stop_following([this, action] { write_promotion(action); });
}

void RoleHost::execute(const SettleDatabases& action) {
  port_.stop_following_but(action.backups, [this, action] { settle(action); });
}

void RoleHost::execute(const LookAtBackups& action) {
  port_.refresh([this, change = action.change](bool fresh) { backups_seen(change, fresh); });
}

void RoleHost::execute(const Follow& action) {
  port_.follow([this, change = action.change] {
    role_.followed(change);
    execute();
  });
}

void RoleHost::execute(const DeposeActive& /*action*/) { port_.depose_active(); }

void RoleHost::execute(const SetListening& action) { port_.set_listening(action.listening); }

void RoleHost::execute(const SetTimer& action) {
  timer_.cancel();
  if (action.at_ms) timer_.set(*action.at_ms);
}

void RoleHost::execute(const SaveRole& /*action*/) { port_.save_state(); }

void RoleHost::execute(const Answer& action) {
  const auto waiting = waiting_.extract(action.change);
  if (!waiting.empty()) waiting.mapped()(action.result);
}

void RoleHost::execute(const LogRole& action) {
  switch (action.level) {
    case LogRole::Level::kInfo:
      return server_log.info("{}", action.text);
    case LogRole::Level::kWarn:
      return server_log.warn("{}", action.text);
    case LogRole::Level::kError:
      return server_log.err("{}", action.text);
  }
}

void RoleHost::backups_seen(RoleChange change, bool fresh) {
  std::vector<DrainedDatabase> databases;
  for (const control::DatabaseStatus& database : port_.status().databases) {
    if (!backups().contains(database.name)) continue;
    databases.push_back({database.name, database.entry.position, database.entry.followers});
  }
  role_.backups_seen(change, databases, fresh, net::IoShard::now_ms());
  execute();
}

// --- on the writer ---

void RoleHost::set_writable(const SetWritable& action) {
  for (const auto& [name, database] : databases_.databases()) {
    if (!database->is_built_in()) databases_.set_backup(*database, action.backups.contains(name));
  }
  databases_.set_write_deadline(action.deadline_ms);
}

void RoleHost::write_promotion(const WritePromotion& action) {
  if (newest_ != action.change) return;
  using IfDamaged = DatabaseServer::IfDamaged;
  const Result<void> opened =
      open_epochs(databases_, action.above, action.least,
                  action.give_up_damaged ? IfDamaged::kGiveUp : IfDamaged::kRefuse);
  auto durability = std::make_shared<Durability>();
  std::vector<std::shared_ptr<storage::LogFile>> logs;
  for (const auto& [name, database] : databases_.databases()) {
    if (database->is_built_in()) continue;
    if (!opened) databases_.set_backup(*database, action.before.contains(name));
    if (database->stored->log() != nullptr) logs.push_back(database->stored->log());
  }
  databases_.flush();
  if (!opened) {
    home_.post([this, change = action.change, error = opened.error()] {
      role_.promotion_refused(change, error);
      execute();
    });
    return;
  }
  if (logs.empty()) {
    home_.post([this, change = action.change] { promoted(change, {}); });
    return;
  }
  durability->pending = logs.size();
  for (const std::shared_ptr<storage::LogFile>& log : logs) {
    sync_thread_.sync(log, [this, change = action.change, durability](const Result<void>& synced) {
      {
        MutexLock lock(durability->mutex);
        if (!synced && durability->outcome) durability->outcome = synced;
      }
      if (--durability->pending > 0) return;
      home_.post([this, change, durability] { promoted(change, durability->outcome); });
    });
  }
}

void RoleHost::promoted(RoleChange change, const Result<void>& durable) {
  if (role_.newest_change() == change) {
    for (const control::DatabaseStatus& database : port_.status().databases)
      server_log.info("{}: promoted at {}", database.name, database.entry.position.to_string());
  }
  role_.promotion_written(change, durable, net::IoShard::now_ms());
  execute();
}

void RoleHost::settle(const SettleDatabases& action) {
  if (newest_ != action.change) return;
  std::map<std::string, Error> failed;
  for (const auto& [name, database] : databases_.databases()) {
    if (database->is_built_in()) continue;
    if (action.backups.contains(name)) {
      databases_.set_backup(*database, true);
    } else if (const Result<void> opened = databases_.promote(*database); !opened) {
      failed.emplace(name, opened.error());
    }
  }
  databases_.flush();
  home_.post([this, change = action.change, failed = std::move(failed)] {
    role_.settled(change, failed, net::IoShard::now_ms());
    execute();
  });
}

}  // namespace tandem
