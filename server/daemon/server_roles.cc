// The roles: how this server becomes active or a backup, for how long it may write, and what it
// tells of that.

#include <fmt/core.h>

#include <algorithm>

#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

Error user_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// "DB:TABLE,DB:TABLE" as ovsdb-server(1), --sync-exclude-tables.
Result<std::map<std::string, std::set<std::string>>> parse_exclude_tables(std::string_view list) {
  std::map<std::string, std::set<std::string>> tables;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    if (item.empty()) continue;
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == item.size()) {
      return user_error(std::string(item) + ": invalid syntax");
    }
    tables[std::string(item.substr(0, colon))].emplace(item.substr(colon + 1));
  }
  return tables;
}

/// How long status commands wait for a busy writer before they show what is known.
constexpr std::int64_t kRefreshMs = 200;

/// Waits until several logs are on the disk.
struct Durability {
  std::atomic<std::size_t> pending;
  std::mutex mutex;
  Result<void> outcome;  // under mutex; the first error
};

}  // namespace

// --- whom a backup follows ---

Result<BackupSource> Server::backup_source() const {
  BackupSource source;
  for (std::string_view rest = active_server_; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    Result<Target> target = Target::parse(rest.substr(0, comma));
    if (!target) return target.error();
    source.targets.push_back(std::move(target.value()));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  Result<std::map<std::string, std::set<std::string>>> excluded =
      parse_exclude_tables(exclude_tables_);
  if (!excluded) return excluded.error();
  source.excluded = std::move(excluded.value());
  source.probe_ms = probe_ms_;
  source.adopt_schemas = options_.sync.schema;
  return source;
}

/// Databases that follow the same server share a connection to it.
std::vector<BackupSource> Server::sources() const {
  if (!options_.config_file) return {backup_source().value()};
  std::map<std::pair<std::string, std::int64_t>, BackupSource> by_source;
  for (const auto& [name, role] : roles_) {
    if (!role.backup) continue;
    Result<Target> target = Target::parse(role.source);
    if (!target || target->is_passive()) continue;  // nobody to connect to
    BackupSource& source = by_source[{role.source, role.probe_ms}];
    source.targets = {std::move(*target)};
    source.probe_ms = role.probe_ms;
    source.adopt_schemas = options_.sync.schema;
    source.excluded[name] = role.excluded;
    if (!source.databases) source.databases.emplace();
    source.databases->insert(name);
  }
  std::vector<BackupSource> sources;
  for (auto& [key, source] : by_source) sources.push_back(std::move(source));
  return sources;
}

BackupService& Server::service(std::size_t index) {
  while (services_.size() <= index)
    services_.push_back(std::make_unique<BackupService>(databases_, replication_, tls_));
  return *services_[index];
}

/// `settled` runs on home, when all have shown something.
void Server::follow(Task settled) {
  std::vector<BackupSource> wanted = sources();
  const auto pending = std::make_shared<std::size_t>(wanted.size() + 1);
  const auto one_less = [this, pending, settled = std::make_shared<Task>(std::move(settled))] {
    home_.post([pending, settled] {
      if (--*pending == 0 && *settled) (*settled)();
    });
  };
  for (std::size_t i = 0; i < wanted.size(); ++i) service(i).follow(std::move(wanted[i]), one_less);
  for (std::size_t i = wanted.size(); i < services_.size(); ++i) services_[i]->stop([] {});
  one_less();
}

/// `done` runs on the writer, behind all that had arrived.
void Server::stop_following(Task done) {
  if (services_.empty()) return databases_.submit(std::move(done), home_);
  const auto pending = std::make_shared<std::atomic<std::size_t>>(services_.size());
  const auto shared = std::make_shared<Task>(std::move(done));
  for (const auto& following : services_) {
    following->stop([pending, shared] {
      if (--*pending == 0) (*shared)();
    });
  }
}

std::map<std::string, FollowerStatus> Server::followers() const {
  std::map<std::string, FollowerStatus> all;
  for (const auto& following : services_) all.merge(following->status());
  return all;
}

void Server::set_active_server(const std::string& remote, control::Done done) {
  const std::string before = std::exchange(active_server_, remote);
  if (const Result<BackupSource> source = backup_source(); !source) {
    active_server_ = before;
    return done(source.error());
  }
  save_state();
  done({});
}

void Server::set_sync_exclude_tables(const std::string& list, control::Done done) {
  const Result<std::map<std::string, std::set<std::string>>> tables = parse_exclude_tables(list);
  if (!tables) return done(tables.error());
  exclude_tables_ = list;
  save_state();
  if (backup_) follow(Task());
  done({});
}

void Server::set_active_probe_interval(std::int64_t milliseconds) {
  probe_ms_ = milliseconds;
  if (backup_) follow(Task());
}

void Server::set_relay_probe_interval(std::int64_t /*milliseconds*/) {}  // no relays are served

// --- changes of role ---

void Server::set_backup(bool backup) {
  for (auto& [name, role] : roles_) role.backup = backup && !role.source.empty();
  backup_ = backup;
  set_backups();
}

bool Server::is_to_be_backup(const std::string& database) const {
  const auto found = roles_.find(database);
  return found == roles_.end() ? backup_ && !options_.config_file : found->second.backup;
}

/// Makes backups of the databases that are to be, and takes writes for the others, without a
/// promotion.
void Server::set_backups() {
  if (options_.config_file) {
    backup_ =
        std::any_of(roles_.begin(), roles_.end(), [](const auto& e) { return e.second.backup; });
  }
  databases_.call(
      [&] {
        for (const auto& [name, database] : databases_.databases()) {
          if (!database->built_in) databases_.set_backup(*database, is_to_be_backup(name));
        }
      },
      home_);
}

/// After a reload: whoever is to be active is promoted, whoever is to be a backup follows.
void Server::settle_roles(control::Done done) {
  std::set<std::string> backups;
  for (const auto& [name, role] : roles_) {
    if (role.backup) backups.insert(name);
  }
  stop_following(
      [this, change = ++role_changes_, backups = std::move(backups), done = std::move(done)] {
        for (const auto& [name, database] : databases_.databases()) {
          if (database->built_in) continue;
          if (backups.contains(name)) {
            databases_.set_backup(*database, true);
          } else {
            databases_.promote(*database);
          }
        }
        databases_.flush();
        home_.post([this, change, done] {
          if (change != role_changes_)
            return done(user_error("another change of role has overtaken the reload"));
          set_backups();
          apply_lease();
          remotes_->set_active(!backup_ && !lease_expired_);
          save_state();
          if (!backup_) return done({});
          follow([done] { done({}); });
        });
      });
}

void Server::connect_active(control::Done done) {
  ++role_changes_;
  if (!backup_) server_log.info("becoming a backup of {}", active_server_);
  set_backup(true);
  remotes_->set_active(false);
  save_state();
  follow([done = std::move(done)] { done({}); });
}

void Server::demote(const std::string& active, control::Done done) {
  if (!active.empty()) {
    Result<void> set;
    set_active_server(active, [&set](const Result<void>& result) { set = result; });
    if (!set) return done(set);
  }
  if (active_server_.empty()) return done(user_error("the active server is not specified"));
  connect_active(std::move(done));
}

/// An empty database in the place of a full one is the worst that a promotion can do.
Result<void> Server::check_promotable() {
  for (const control::DatabaseStatus& database : status().databases) {
    const bool follows =
        database.follower && database.follower->state == FollowerStatus::State::kReplicating;
    if (database.entry.position.index > 0 || follows) continue;
    return user_error(
        fmt::format("{} was never in sync with an active server, and is empty: refusing to promote "
                    "(--force does it all the same)",
                    database.name));
  }
  return {};
}

void Server::promote(bool force, control::Done done) {
  if (!backup_) return done({});
  if (const Result<void> allowed = check_promotable(); !allowed && !force) {
    server_log.info("not promoted: {}", allowed.error().to_string());
    return done(allowed);
  }
  // On the writer, behind all that had arrived.
  stop_following(
      [this, change = ++role_changes_, done = std::move(done)] { make_active(change, done); });
}

void Server::disconnect_active(control::Done done) { promote(true, std::move(done)); }

/// On the writer.
void Server::make_active(std::uint64_t change, const control::Done& done) {
  if (change != role_changes_) {
    home_.post([this, change, done] { promoted(change, {}, done); });
    return;
  }
  std::vector<std::shared_ptr<storage::LogFile>> logs;
  for (const auto& [name, database] : databases_.databases()) {
    if (database->built_in) continue;
    databases_.promote(*database);
    if (database->stored->log() != nullptr) logs.push_back(database->stored->log());
  }
  databases_.flush();
  if (logs.empty()) {
    home_.post([this, change, done] { promoted(change, {}, done); });
    return;
  }
  auto durability = std::make_shared<Durability>();
  durability->pending = logs.size();
  for (const std::shared_ptr<storage::LogFile>& log : logs) {
    sync_thread_.sync(log, [this, change, done, durability](const Result<void>& synced) {
      {
        std::lock_guard lock(durability->mutex);
        if (!synced && durability->outcome) durability->outcome = synced;
      }
      if (--durability->pending > 0) return;
      home_.post([this, change, done, durability] { promoted(change, durability->outcome, done); });
    });
  }
}

void Server::promoted(std::uint64_t change, const Result<void>& durable,
                      const control::Done& done) {
  if (change != role_changes_) {
    return done(user_error("another change of role has overtaken the promotion"));
  }
  for (auto& [name, role] : roles_) role.backup = false;
  backup_ = false;
  lease_.restart(net::IoShard::now_ms());
  apply_lease();
  remotes_->set_active(!lease_expired_);
  save_state();
  for (const control::DatabaseStatus& database : status().databases) {
    server_log.info("{}: promoted at {}", database.name, database.entry.position.to_string());
  }
  if (!durable) server_log.err("promotion is not durable: {}", durable.error().to_string());
  done(durable);
}

// --- the role lease ---

void Server::renew_lease(std::int64_t length_ms) {
  lease_.renew(length_ms, net::IoShard::now_ms());
  apply_lease();
  save_state();
}

void Server::disarm_lease() {
  lease_.disarm();
  apply_lease();
  save_state();
}

/// Brings writer, listeners and timer in line with the lease; says so when it ran out or is back.
void Server::apply_lease() {
  const std::optional<std::int64_t> deadline = lease_.deadline_ms();
  databases_.submit([this, deadline] { databases_.set_write_deadline(deadline); }, home_);
  const bool expired =
      !backup_ && lease_.state(net::IoShard::now_ms()) == control::RoleLease::State::kExpired;
  if (expired != lease_expired_) {
    lease_expired_ = expired;
    if (expired) {
      server_log.warn("role lease of {:.1f} s has run out: read-only until it is renewed",
                      static_cast<double>(lease_.length_ms()) / 1000);
    } else if (!backup_) {
      server_log.info("role lease is renewed: writable again");
    }
    remotes_->set_active(!backup_ && !expired);
  }
  lease_timer_->cancel();
  if (deadline && !expired && !backup_) lease_timer_->set(*deadline);
}

// --- what is told ---

control::SyncStatus Server::sync_status() {
  control::SyncStatus status;
  status.exclude_tables = exclude_tables_;
  if (!backup_) return status;
  status.active_server = active_server_;
  const std::map<std::string, FollowerStatus> followers = this->followers();
  bool all = !followers.empty();
  for (const auto& [name, follower] : followers) {
    status.databases.push_back(name);
    all = all && follower.state == FollowerStatus::State::kReplicating;
    if (follower.state == FollowerStatus::State::kRefused)
      status.error = name + ": " + follower.error;
    if (follower.stale && follower.heard_ms)
      status.silent_ms = std::max(status.silent_ms, net::IoShard::now_ms() - *follower.heard_ms);
  }
  status.state = all && status.silent_ms > 0 ? control::SyncStatus::State::kStale
                 : all                       ? control::SyncStatus::State::kReplicating
                 : !status.error.empty()     ? control::SyncStatus::State::kError
                                             : control::SyncStatus::State::kConnecting;
  return status;
}

control::ServerStatus Server::status() {
  control::ServerStatus status;
  status.server_id = databases_.server_id().to_string();
  status.now_ms = net::IoShard::now_ms();
  status.now_wall_ms = clock_.wall_ms();
  status.uptime_ms = status.now_ms - started_ms_;
  status.backup = backup_;
  status.lease = lease_;
  status.sync = sync_;
  status.active_server = active_server_;
  status.exclude_tables = exclude_tables_;
  const std::map<std::string, FollowerStatus> followers = this->followers();
  for (const auto& [name, entry] : board_.entries()) {
    control::DatabaseStatus database;
    database.name = name;
    database.entry = entry;
    if (entry.backup) {
      database.source = active_server_;
      if (const auto role = roles_.find(name); role != roles_.end())
        database.source = role->second.source;
      for (const auto& following : services_) {
        if (following->status().contains(name))
          database.connection_error = following->connection_error();
      }
      if (const auto found = followers.find(name); found != followers.end())
        database.follower = found->second;
    }
    status.databases.push_back(std::move(database));
  }
  return status;
}

void Server::refresh(std::function<void()> then) {
  const auto once = [this, open = std::make_shared<std::function<void()>>(std::move(then))] {
    if (const auto now = std::exchange(*open, nullptr)) now();
  };
  databases_.submit(
      [this, once] {
        board_.refresh();
        home_.post(once);
      },
      home_);
  call_later(kRefreshMs, once);
}

bool Server::is_synced() {
  for (const control::DatabaseStatus& database : status().databases) {
    const control::StatusBoard::Entry& entry = database.entry;
    if (entry.backup) {
      if (!database.follower || database.follower->state != FollowerStatus::State::kReplicating ||
          database.follower->lag_records() > 0)
        return false;
      continue;
    }
    if (entry.followers.size() < sync_.replicas) return false;
    for (const FeedStatus& follower : entry.followers) {
      if (follower.acknowledged != entry.position) return false;
    }
  }
  return true;
}

void Server::apply_sync() {
  const CommitGate::Options gate{
      sync_.replicas, sync_.timeout_ms,
      sync_.block ? CommitGate::Fallback::kBlock : CommitGate::Fallback::kAsync};
  databases_.call([&] { databases_.set_sync(gate); }, home_);
}

void Server::set_sync(const control::SyncSettings& settings) {
  sync_ = settings;
  apply_sync();
  server_log.info("commits wait for {} backups, {} ms, then {}", settings.replicas,
                  settings.timeout_ms, settings.block ? "block" : "go on");
  save_state();
}

void Server::call_later(std::int64_t delay_ms, std::function<void()> task) {
  const std::uint64_t id = next_later_++;
  const auto expired = [this, id, task = std::move(task)] {
    task();
    // Not from within the timer itself.
    home_.post([this, id] { later_.erase(id); });
  };
  const auto timer = later_.emplace(id, std::make_unique<HomeTimer>(home_, expired)).first;
  timer->second->set(net::IoShard::now_ms() + delay_ms);
}

}  // namespace tandem
