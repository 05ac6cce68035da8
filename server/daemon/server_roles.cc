// The roles: how this server becomes active or a backup.

#include <fmt/core.h>

#include "server/control/command_registry.h"
#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

/// How long a demotion waits for backups, for the one that is to be active, and how often it looks.
constexpr std::int64_t kDrainMs = 1000;
constexpr std::int64_t kDrainSuccessorMs = 2500;
constexpr std::int64_t kDrainPollMs = 5;

/// Waits until several logs are on the disk.
struct Durability {
  std::atomic<std::size_t> pending;
  std::mutex mutex;
  Result<void> outcome;  // under mutex; the first error
};

}  // namespace

// --- changes of role ---

bool Server::Plan::is_backup(const std::string& database) const {
  const auto found = known.find(database);
  return found == known.end() ? others : found->second;
}

Server::Plan Server::plan() const {
  Plan plan{{}, backup_ && !options_.config_file};
  for (const auto& [name, role] : roles_) plan.known[name] = role.backup;
  return plan;
}

/// On the writer: makes backups of the databases that are to be, and takes writes for the others,
/// without a promotion.
void Server::carry_out(const Plan& plan) {
  for (const auto& [name, database] : databases_.databases()) {
    if (!database->built_in) databases_.set_backup(*database, plan.is_backup(name));
  }
}

/// With a configuration file this server is what its databases are.
void Server::note_roles() {
  if (!options_.config_file) return;
  backup_ =
      std::any_of(roles_.begin(), roles_.end(), [](const auto& e) { return e.second.backup; });
}

void Server::apply_roles() {
  note_roles();
  submit([this, plan = plan()] { carry_out(plan); });
}

/// A change of many steps is not begun while the writer is busy.
void Server::when_writer_answers(control::Done done, std::function<void(control::Done)> then) {
  errands_.run(
      to_writer_, [] { return Result<void>(); },
      [done = std::move(done), then = std::move(then)](const Result<void>& answered) {
        if (!answered) return done(answered);
        then(done);
      });
}

/// After a reload: whoever is to be active is promoted, whoever is to be a backup follows.
void Server::settle_roles(control::Done done) {
  std::set<std::string> backups;
  for (const auto& [name, role] : roles_) {
    if (role.backup) backups.insert(name);
  }
  stop_following(
      [this, change = ++role_changes_, backups = std::move(backups), done = std::move(done)] {
        std::map<std::string, Error> failed;
        for (const auto& [name, database] : databases_.databases()) {
          if (database->built_in) continue;
          if (backups.contains(name)) {
            databases_.set_backup(*database, true);
          } else if (const Result<void> opened = databases_.promote(*database); !opened) {
            failed.emplace(name, opened.error());
          }
        }
        databases_.flush();
        home_.post([this, change, failed, settled = done] {
          control::Done done = settled;
          for (const auto& [name, error] : failed) {
            server_log.warn("{}: not promoted: {}", name, error.to_string());
            if (const auto role = roles_.find(name); role != roles_.end())
              role->second.backup = true;
            done = [settled, error = error](const Result<void>&) { settled(error); };
          }
          if (change != role_changes_)
            return done(control::command_error("another change of role has overtaken the reload"));
          apply_roles();
          apply_lease();
          remotes_->set_active(!backup_ && !lease_expired_);
          save_state();
          if (!backup_) return done({});
          follow([done] { done({}); });
        });
      });
}

/// From here on nothing is written. What has been goes to the backups before their connections are
/// closed, or an orderly change of roles would lose it. `changed` then; `settled` when the
/// connection to the active shows something. Both run on home.
void Server::become_backup(const std::string& successor, control::Done changed,
                           std::function<void()> settled) {
  if (!backup_) {
    server_log.info("becoming a backup of {}", active_server_);
    drain_ = Drain{net::IoShard::now_ms(), successor};
  }
  for (auto& [name, role] : roles_) role.backup = !role.source.empty();
  backup_ = true;
  note_roles();
  save_state();
  auto go_on = [this, change = ++role_changes_, changed = std::move(changed),
                settled = std::move(settled)] {
    if (change != role_changes_) {
      settled();
      return changed(control::command_error("another change of role has overtaken this one"));
    }
    drain_.reset();
    remotes_->set_active(false);
    follow(settled);
    changed({});
  };
  const auto is_backup = [this, go_on = std::move(go_on)](const Result<void>&) {
    if (drain_) {  // this change's, or that of one that it overtakes
      drain(go_on);
    } else {
      go_on();
    }
  };
  errands_.finish(
      to_writer_,
      [this, plan = plan()] {
        carry_out(plan);
        return Result<void>();
      },
      is_backup);
}

/// Until the backups that keep up have everything, or have been waited for long enough.
void Server::drain(std::function<void()> then) {
  refresh([this, then = std::move(then)](bool fresh) {
    if (!drain_) return then();  // overtaken by a promotion
    const std::int64_t waited_ms = net::IoShard::now_ms() - drain_->start_ms;
    bool drained = fresh || waited_ms >= kDrainMs;
    for (const auto& [name, entry] : board_.entries()) {
      for (const FeedStatus& feed : entry.followers) {
        if (!feed.in_sync || feed.doubted || feed.acknowledged == entry.position) continue;
        drained =
            drained && waited_ms >= (feed.name == drain_->successor ? kDrainSuccessorMs : kDrainMs);
      }
    }
    if (drained) return then();
    call_later(kDrainPollMs, [this, then] { drain(then); });
  });
}

/// Scripts look at sync-status next.
void Server::connect_active(control::Done done) {
  when_writer_answers(std::move(done), [this](const control::Done& answer) {
    least_epoch_ = {};
    become_backup(
        "", [](const Result<void>&) {}, [answer] { answer({}); });
  });
}

void Server::demote(const Demotion& demotion, control::Done done) {
  when_writer_answers(std::move(done), [this, demotion](control::Done answer) {
    begin_demotion(demotion, std::move(answer));
  });
}

void Server::begin_demotion(const Demotion& demotion, control::Done done) {
  if (!demotion.active.empty()) {
    Result<void> set;
    set_active_server(demotion.active, [&set](const Result<void>& result) { set = result; });
    if (!set) return done(set);
  }
  if (active_server_.empty())
    return done(control::command_error("the active server is not specified"));
  if (demotion.depose) {
    for (const std::unique_ptr<BackupService>& service : services_) service->depose_active();
  }
  least_epoch_ = demotion.least_epoch;
  become_backup(demotion.successor, std::move(done), [] {});
}

/// An empty database in the place of a full one is the worst that a promotion can do.
Result<void> Server::check_promotable() {
  for (const control::DatabaseStatus& database : status().databases) {
    const bool follows =
        database.follower && database.follower->state == FollowerStatus::State::kReplicating;
    if (database.entry.position.index > 0 || follows) continue;
    return control::command_error(
        fmt::format("{} was never in sync with an active server, and is empty: refusing to promote "
                    "(--force does it all the same)",
                    database.name));
  }
  return {};
}

void Server::promote(const Promotion& promotion, control::Done done) {
  when_writer_answers(std::move(done), [this, promotion](control::Done answer) {
    begin_promotion(promotion, std::move(answer));
  });
}

void Server::begin_promotion(const Promotion& promotion, control::Done done) {
  Promotion wanted = promotion;
  if (!backup_ && is_deposed()) wanted.above = std::max(wanted.above, std::optional(epoch()));
  if (!backup_ && !wanted.above && !wanted.least) return done({});
  if (const Result<void> allowed = check_promotable(); backup_ && !allowed && !promotion.force) {
    server_log.info("not promoted: {}", allowed.error().to_string());
    return done(allowed);
  }
  // On the writer, behind all that had arrived.
  stop_following([this, promoting = Promoting{++role_changes_, wanted, backup_, std::move(done)}] {
    make_active(promoting);
  });
}

void Server::disconnect_active(control::Done done) {
  promote({.force = true, .above = {}}, std::move(done));
}

/// Opens a new epoch in all databases. On the writer, so that nothing comes between the look at a
/// copy and its promotion.
Result<void> Server::open_epochs(const Promotion& wanted) {
  for (const auto& [name, database] : databases_.databases()) {
    const Height held = database->stored->position().height();
    if (database->built_in || !wanted.least || held >= *wanted.least) continue;
    return control::command_error(fmt::format("{} is at {}, behind {}: refusing to promote", name,
                                              held.to_string(), wanted.least->to_string()));
  }
  for (const auto& [name, database] : databases_.databases()) {
    if (database->built_in) continue;
    if (Result<void> opened = databases_.promote(*database, wanted.above); !opened) return opened;
  }
  return {};
}

/// On the writer.
void Server::make_active(const Promoting& promoting) {
  if (promoting.change != role_changes_) {
    home_.post([this, promoting] { promoted(promoting, {}); });
    return;
  }
  std::vector<std::shared_ptr<storage::LogFile>> logs;
  const Result<void> opened = open_epochs(promoting.wanted);
  for (const auto& [name, database] : databases_.databases()) {
    if (database->built_in) continue;
    // An active that could not open another epoch stays what it is.
    if (!opened && promoting.was_backup) databases_.set_backup(*database, true);
    if (database->stored->log() != nullptr) logs.push_back(database->stored->log());
  }
  databases_.flush();
  if (!opened) {
    home_.post([this, promoting, error = opened.error()] { not_promoted(promoting, error); });
    return;
  }
  if (logs.empty()) {
    home_.post([this, promoting] { promoted(promoting, {}); });
    return;
  }
  auto durability = std::make_shared<Durability>();
  durability->pending = logs.size();
  for (const std::shared_ptr<storage::LogFile>& log : logs) {
    sync_thread_.sync(log, [this, promoting, durability](const Result<void>& synced) {
      {
        std::lock_guard lock(durability->mutex);
        if (!synced && durability->outcome) durability->outcome = synced;
      }
      if (--durability->pending > 0) return;
      home_.post([this, promoting, durability] { promoted(promoting, durability->outcome); });
    });
  }
}

/// The epoch of a promotion must be in the log, or two servers might write in one.
void Server::not_promoted(const Promoting& promoting, const Error& error) {
  server_log.warn("not promoted: {}", error.to_string());
  if (promoting.change == role_changes_ && promoting.was_backup) follow(Task());
  promoting.done(error);
}

void Server::promoted(const Promoting& promoting, const Result<void>& durable) {
  if (promoting.change != role_changes_) {
    return promoting.done(
        control::command_error("another change of role has overtaken the promotion"));
  }
  for (auto& [name, role] : roles_) role.backup = false;
  backup_ = false;
  drain_.reset();
  apply_roles();  // of a database that was added meanwhile, too
  lease_.restart(net::IoShard::now_ms());
  apply_lease();
  remotes_->set_active(!lease_expired_);
  save_state();
  for (const control::DatabaseStatus& database : status().databases) {
    server_log.info("{}: promoted at {}", database.name, database.entry.position.to_string());
  }
  if (!durable) server_log.err("promotion is not durable: {}", durable.error().to_string());
  promoting.done(durable);
}

}  // namespace tandem
