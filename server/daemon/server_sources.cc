// Whom this server follows while it is a backup, and the services that do it: one a source.

#include <fmt/core.h>

#include "server/control/command_registry.h"
#include "server/daemon/server.h"

namespace tandem {
namespace {

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
      return control::command_error(std::string(item) + ": invalid syntax");
    }
    tables[std::string(item.substr(0, colon))].emplace(item.substr(colon + 1));
  }
  return tables;
}

}  // namespace

/// A path that is not absolute is in the folder of sockets, as for the remotes that are listened
/// at.
Target Server::in_run_folder(Target target) const {
  if (!target.path.empty() && !target.path.starts_with('/'))
    target.path = directories_.run + '/' + target.path;
  return target;
}

Result<BackupSource> Server::backup_source() const {
  BackupSource source;
  for (std::string_view rest = active_server_; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    Result<Target> target = Target::parse(rest.substr(0, comma));
    if (!target) return target.error();
    source.targets.push_back(in_run_folder(std::move(target.value())));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  Result<std::map<std::string, std::set<std::string>>> excluded =
      parse_exclude_tables(exclude_tables_);
  if (!excluded) return excluded.error();
  source.excluded = std::move(excluded.value());
  source.probe_ms = probe_ms_;
  source.adopt_schemas = options_.sync.schema;
  source.forward_writes = options_.sync.forward_writes;
  source.most_message_bytes = options_.limits.message_bytes;
  source.node = node_name_;
  source.least_epoch = least_epoch_;
  return source;
}

/// Databases that follow the same server share a connection to it.
std::vector<BackupSource> Server::sources() const {
  if (!options_.config_file) {
    BackupSource source = backup_source().value();
    if (source.targets.empty()) return {};  // nobody to connect to
    return {std::move(source)};
  }
  std::map<std::pair<std::string, std::int64_t>, BackupSource> by_source;
  for (const auto& [name, upstream] : upstreams_) {
    if (!role_.backups().contains(name)) continue;
    Result<Target> target = Target::parse(upstream.source);
    if (!target || target->is_passive()) continue;  // nobody to connect to
    BackupSource& source = by_source[{upstream.source, upstream.probe_ms}];
    source.targets = {in_run_folder(std::move(*target))};
    source.node = node_name_;
    source.probe_ms = upstream.probe_ms;
    source.adopt_schemas = options_.sync.schema;
    source.forward_writes = options_.sync.forward_writes;
    source.most_message_bytes = options_.limits.message_bytes;
    source.excluded[name] = upstream.excluded;
    if (!source.databases) source.databases.emplace();
    source.databases->insert(name);
  }
  std::vector<BackupSource> sources;
  sources.reserve(by_source.size());
  for (auto& [key, source] : by_source) sources.push_back(std::move(source));
  return sources;
}

/// The databases that are backups when this server is one.
BackupSet Server::followers_set() const {
  if (!options_.config_file) return BackupSet::all();
  BackupSet set;
  for (const auto& [name, upstream] : upstreams_) {
    if (!upstream.source.empty()) set.add(name);
  }
  return set;
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
  for (std::size_t i = wanted.size(); i < services_.size(); ++i)
    services_[i]->stop("following nobody", [] {});
  one_less();
}

/// `done` runs on the writer, behind all that had arrived.
void Server::stop_following(Task done) { stop_following("becoming active", std::move(done)); }

void Server::stop_following(const std::string& reason, Task done) {
  if (services_.empty()) return submit(std::move(done));
  const auto pending = std::make_shared<std::atomic<std::size_t>>(services_.size());
  const auto shared = std::make_shared<Task>(std::move(done));
  for (const auto& following : services_) {
    following->stop(reason, [pending, shared] {
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
  if (role_.state() == RoleState::kBackup) follow(Task());
  done({});
}

void Server::set_active_probe_interval(std::int64_t milliseconds) {
  probe_ms_ = milliseconds;
  if (role_.state() == RoleState::kBackup) follow(Task());
}

/// Whom a database follows, or would; empty: nobody.
std::string Server::source_of(const std::string& database) const {
  if (!options_.config_file) return active_server_;
  const auto upstream = upstreams_.find(database);
  return upstream == upstreams_.end() ? "" : upstream->second.source;
}

/// The tables that it leaves out, as in --sync-exclude-tables.
std::string Server::excluded_of(const std::string& database) const {
  if (!options_.config_file) return exclude_tables_;
  std::string list;
  if (const auto upstream = upstreams_.find(database); upstream != upstreams_.end()) {
    for (const std::string& table : upstream->second.excluded)
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", database, table);
  }
  return list;
}

}  // namespace tandem
