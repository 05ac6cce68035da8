#include "tests/simulation/simulated_role.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "server/writer/open_epochs.h"
#include "tests/simulation/node.h"

namespace tandem::simulation {

std::int64_t SimulatedRole::now_ms() const { return node_.clock.monotonic_ms(); }

RoleState SimulatedRole::state() const { return role_.state(now_ms()); }

Epoch SimulatedRole::epoch() const {
  Epoch greatest{};
  for (const std::string& database : node_.scenario.databases)
    greatest = std::max(greatest, process_.database(database).stored->position().epoch);
  return greatest;
}

void SimulatedRole::start(const std::optional<KeptRole>& before) {
  if (before) {
    role_.resume(before->lease);
    source_ = before->source;
  }
  const bool is_active = before && before->active && !node_.is_damaged();
  role_.start(is_active ? BackupSet::none() : BackupSet::all());
  role_.serve(now_ms());
  execute();
}

void SimulatedRole::promote(const PromotionWanted& wanted, Done done) {
  const RoleChange change{++changes_};
  waiting_.emplace(change, std::move(done));
  role_.promote(change, wanted);
  execute();
}

void SimulatedRole::demote(DemotionWanted wanted, std::shared_ptr<const Source> source, Done done) {
  const RoleChange change{++changes_};
  waiting_.emplace(change, std::move(done));
  source_ = std::move(source);
  wanted.backups = BackupSet::all();
  role_.demote(change, wanted, now_ms());
  execute();
}

void SimulatedRole::demote(Node* source) {
  std::shared_ptr<const Source> followed;
  if (source != nullptr)
    followed = std::make_shared<Source>(Source{source->name, [source] { return source; }, {}});
  demote({.follows = source != nullptr ? source->name : "nobody"}, std::move(followed),
         [](const Result<std::string>&) {});
}

Result<void> SimulatedRole::renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted) {
  if (!node_.guards.deposal) {
    Lease lease;
    lease.resume(role_.lease().length_ms(), role_.lease().deadline_ms(), std::nullopt);
    role_.resume(lease);
  }
  const Result<void> renewed = role_.renew_lease(length_ms, wanted, epoch(), now_ms());
  execute();
  return renewed;
}

Result<void> SimulatedRole::disarm_lease() {
  const Result<void> disarmed = role_.disarm_lease(epoch(), now_ms());
  execute();
  return disarmed;
}

void SimulatedRole::depose() {
  role_.depose(epoch(), now_ms());
  execute();
}

/// An action may end at once, and lead to others.
void SimulatedRole::execute() {
  if (std::exchange(executing_, true)) return;
  for (Role::Actions actions = role_.take_actions(); !actions.empty();
       actions = role_.take_actions()) {
    for (const RoleAction& action : actions)
      std::visit([this](const auto& a) { execute(a); }, action);
  }
  executing_ = false;
}

void SimulatedRole::set_backups(const BackupSet& backups) {
  for (const std::string& database : node_.scenario.databases)
    process_.server.set_backup(process_.database(database), backups.contains(database));
}

void SimulatedRole::execute(const SetWritable& action) {
  process_.have_written(
      [this, action] {
        set_backups(action.backups);
        process_.server.set_write_deadline(action.deadline_ms);
        return 0;
      },
      [this, change = action.change](int) {
        role_.databases_set(change);
        execute();
      });
}

std::optional<Result<void>> SimulatedRole::write_promotion(const WritePromotion& action) {
  if (role_.newest_change() != action.change) return std::nullopt;
  using IfDamaged = DatabaseServer::IfDamaged;
  Result<void> opened =
      open_epochs(process_.server, action.above, action.least,
                  action.give_up_damaged ? IfDamaged::kGiveUp : IfDamaged::kRefuse);
  if (!opened) set_backups(action.before);
  process_.server.flush();
  return opened;
}

void SimulatedRole::execute(const WritePromotion& action) {
  process_.stop_following();
  process_.have_written([this, action] { return write_promotion(action); },
                        [this, change = action.change](const std::optional<Result<void>>& opened) {
                          if (!opened) return;
                          if (!*opened) {
                            role_.promotion_refused(change, opened->error());
                            return execute();
                          }
                          if (!node_.hanging.hangs()) return sync_promotion(change);
                          node_.hanging.wait([this, change] { sync_promotion(change); });
                        });
}

void SimulatedRole::sync_promotion(RoleChange change) {
  Result<void> durable;
  for (const std::string& database : node_.scenario.databases) {
    const Result<void> synced = process_.database(database).stored->log()->sync();
    if (!synced) durable = synced;
  }
  role_.promotion_written(change, durable, now_ms());
  execute();
}

/// As a server refreshes what it shows: for a moment it waits for the writer.
void SimulatedRole::execute(const LookAtBackups& action) {
  if (!process_.waits_for_disk()) return backups_seen(action.change, true);
  node_.world.after(500, [this, change = action.change, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    backups_seen(change, false);
    execute();
  });
}

void SimulatedRole::backups_seen(RoleChange change, bool fresh) {
  std::vector<DrainedDatabase> databases;
  for (const std::string& name : node_.scenario.databases) {
    if (!node_.guards.drain) break;
    databases.push_back({name, node_.position(name),
                         process_.look([&] { return process_.database(name).gate.followers(); })});
  }
  role_.backups_seen(change, databases, fresh, now_ms());
}

void SimulatedRole::execute(const Follow& action) {
  process_.stop_following();
  if (source_ != nullptr) process_.follow(*source_);
  role_.followed(action.change);
}

void SimulatedRole::execute(const DeposeActive& /*action*/) { process_.depose_active(); }

void SimulatedRole::execute(const SetListening& action) {
  listening_ = action.listening;
  if (!listening_ && !node_.scenario.cascades) process_.close_served();
}

void SimulatedRole::execute(const SetTimer& action) {
  const std::uint64_t timer = ++timers_;
  if (action.at_ms) set_timer(*action.at_ms, timer);
}

/// A process that is stopped sees later that its time has come.
void SimulatedRole::set_timer(std::int64_t at_ms, std::uint64_t timer) {
  node_.world.at(node_.clock.world_ms(at_ms), [this, at_ms, timer, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || timer != timers_) return;
    if (process_.shard.is_stopped()) {
      return node_.world.after(20, [this, at_ms, timer, alive] {
        if (!alive.expired() && timer == timers_) set_timer(at_ms, timer);
      });
    }
    role_.timer(now_ms());
    execute();
  });
}

void SimulatedRole::execute(const SaveRole& /*action*/) {
  node_.kept = {has_active_role(state()), lease(), source_};
}

void SimulatedRole::execute(const Answer& action) {
  const auto waiting = waiting_.extract(action.change);
  if (!waiting.empty()) waiting.mapped()(action.result);
}

void SimulatedRole::execute(const LogRole& action) { node_.world.trace(node_.name, action.text); }

}  // namespace tandem::simulation
