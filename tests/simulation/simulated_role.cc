#include "tests/simulation/simulated_role.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "tests/simulation/node.h"

namespace tandem::simulation {

std::int64_t SimulatedRole::now_ms() const { return node_.clock.monotonic_ms(); }

RoleState SimulatedRole::state() const { return role_.state(now_ms()); }

void SimulatedRole::start() {
  role_.start(BackupSet::all());
  role_.serve(now_ms());
  execute();
}

void SimulatedRole::promote(Epoch above, Done done) {
  const RoleChange change{++changes_};
  waiting_.emplace(change, std::move(done));
  role_.promote(change, {.force = true, .above = above});
  execute();
}

void SimulatedRole::demote(Node* source) {
  source_ = source;
  role_.demote(RoleChange{++changes_},
               {.backups = BackupSet::all(), .follows = source ? source->name : "nobody"},
               now_ms());
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
  process_.server.call(
      [&] {
        set_backups(action.backups);
        process_.server.set_write_deadline(action.deadline_ms);
      },
      process_.shard);
  role_.databases_set(action.change);
}

/// The database that decides comes last: when another cannot be promoted, the copy is not ahead by
/// an epoch that nobody wrote in.
void SimulatedRole::execute(const WritePromotion& action) {
  process_.stop_following();
  const std::vector<std::string>& databases = node_.scenario.databases;
  const Result<void> opened = process_.on_writer([&]() -> Result<void> {
    for (auto name = databases.rbegin(); name != databases.rend(); ++name) {
      Result<void> promoted = process_.server.promote(process_.database(*name), action.above);
      if (promoted) continue;
      set_backups(action.before);
      return promoted;
    }
    return {};
  });
  if (opened) {
    role_.promotion_written(action.change, {}, now_ms());
  } else {
    role_.promotion_refused(action.change, opened.error());
  }
}

void SimulatedRole::execute(const LookAtBackups& action) {
  std::vector<DrainedDatabase> databases;
  for (const std::string& name : node_.scenario.databases) {
    databases.push_back({name, node_.position(name), process_.on_writer([&] {
                           return process_.database(name).gate.followers();
                         })});
  }
  role_.backups_seen(action.change, databases, true, now_ms());
}

void SimulatedRole::execute(const Follow& action) {
  if (source_ != nullptr) process_.follow(*source_);
  role_.followed(action.change);
}

void SimulatedRole::execute(const SetTimer& action) {
  const std::uint64_t timer = ++timers_;
  if (!action.at_ms) return;
  node_.world.at(node_.clock.world_ms(*action.at_ms), [this, timer, alive = std::weak_ptr(alive_)] {
    if (alive.expired() || timer != timers_) return;
    role_.timer(now_ms());
    execute();
  });
}

void SimulatedRole::execute(const Answer& action) {
  const auto waiting = waiting_.extract(action.change);
  if (!waiting.empty()) waiting.mapped()(action.result);
}

void SimulatedRole::execute(const LogRole& action) { node_.world.trace(node_.name, action.text); }

}  // namespace tandem::simulation
