#include "server/config/remote_config.h"

#include <algorithm>

#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

bool is_db(std::string_view text) { return text.starts_with("db:"); }

net::RemoteOptions options_of(const DbRemote& remote) {
  net::RemoteOptions options;
  if (remote.max_backoff_ms) options.max_backoff_ms = *remote.max_backoff_ms;
  options.inactivity_probe_ms = remote.inactivity_probe_ms;
  options.read_only = remote.read_only;
  options.role = remote.role;
  if (remote.dscp) options.dscp = static_cast<int>(*remote.dscp);
  return options;
}

}  // namespace

RemoteConfig::RemoteConfig(DatabaseServer& server, net::IoShard& home, net::RemoteManager& manager,
                           net::TlsContext& tls, std::string run_directory)
    : server_(server),
      home_(home),
      manager_(manager),
      tls_(tls),
      run_directory_(std::move(run_directory)) {
  server_.add_observer(*this);
  manager_.on_status_change([this] { write_status(); });
}

RemoteConfig::~RemoteConfig() { server_.remove_observer(*this); }

Result<net::RemoteSpec> RemoteConfig::spec_of(const std::string& target,
                                              const net::RemoteOptions& options) const {
  Result<Target> parsed = Target::parse(target);
  if (!parsed) return parsed.error();
  net::RemoteSpec spec{std::move(parsed.value()), options};
  if (!spec.target.path.empty() && !spec.target.path.starts_with('/')) {
    spec.target.path = run_directory_ + '/' + spec.target.path;
  }
  return spec;
}

Result<void> RemoteConfig::add(const std::string& remote, const net::RemoteOptions& options,
                               Origin origin) {
  if (is_db(remote)) {
    Result<void> checked;
    server_.call([&] { checked = check_remotes_column(server_, remote); }, home_);
    if (!checked) return checked;
  } else {
    const Result<net::RemoteSpec> spec = spec_of(remote, options);
    if (!spec) return spec.error();
    if (spec.value().target.kind == Target::Kind::kPfd && origin != Origin::kCommandLine) {
      return Error{remote + ": remotes can only be specified on the command line", "",
                   std::nullopt};
    }
  }
  remotes_.insert_or_assign(remote, Configured{options, false});
  return {};
}

Result<void> RemoteConfig::add_active_only(const std::string& remote) {
  const Result<void> added = add(remote, {}, Origin::kCommandLine);
  if (added) remotes_[remote].active_only = true;
  return added;
}

bool RemoteConfig::remove(const std::string& remote) { return remotes_.erase(remote) > 0; }

std::vector<std::string> RemoteConfig::list() const {
  std::vector<std::string> names;
  for (const auto& [name, configured] : remotes_) names.push_back(name);
  return names;
}

std::vector<std::string> RemoteConfig::list_active_only() const {
  std::vector<std::string> names;
  for (const auto& [name, configured] : remotes_) {
    if (configured.active_only) names.push_back(name);
  }
  return names;
}

void RemoteConfig::set_active(bool active) {
  if (active_ == active) return;
  active_ = active;
  refresh();
}

// --- following the databases ---

void RemoteConfig::on_logged(const ServedDatabase& database, const CommitRef& commit) {
  std::lock_guard lock(mutex_);
  for (const RowChange& change : commit->changes) {
    if (watched_.contains({database.info->name, commit->schema->table(change.table).name})) {
      refresh_soon();
      return;
    }
  }
}

void RemoteConfig::on_databases_changed() { refresh_soon(); }

void RemoteConfig::refresh_soon() {
  if (!refresh_posted_.exchange(true)) home_.post([this] { refresh(); });
}

void RemoteConfig::refresh() {
  refresh_posted_ = false;
  refresh_tls();

  std::vector<net::RemoteSpec> specs;
  std::vector<InDatabase> in_database;
  std::set<std::pair<std::string, std::string>> watched;
  const auto watch_tls = [&](const std::string& source) {
    if (const Result<ColumnPath> path = ColumnPath::parse(source); is_db(source) && path) {
      watched.emplace(path.value().database, path.value().table);
    }
  };
  for (const std::string* source :
       {&tls_sources_.private_key, &tls_sources_.certificate, &tls_sources_.ca_cert,
        &tls_sources_.protocols, &tls_sources_.ciphers, &tls_sources_.ciphersuites}) {
    watch_tls(*source);
  }
  for (const auto& [name, configured] : remotes_) {
    if (configured.active_only && !active_) continue;
    if (!is_db(name)) {
      specs.push_back(spec_of(name, configured.options).value());
      specs.back().options.freebind = configured.active_only;
      continue;
    }
    const ColumnPath path = ColumnPath::parse(name).value();
    watched.emplace(path.database, path.table);
    std::vector<DbRemote> remotes;
    Result<void> checked;
    server_.call(
        [&] {
          checked = check_remotes_column(server_, name);
          remotes = read_remotes(server_, path);
        },
        home_);
    if (!checked) server_log.warn("{}", checked.error().to_string());
    for (DbRemote& remote : remotes) {
      if (!remote.table.empty()) watched.emplace(path.database, remote.table);
      Result<net::RemoteSpec> spec = spec_of(remote.target, options_of(remote));
      if (!spec) {
        server_log.warn("{}", spec.error().to_string());
        continue;
      }
      if (spec.value().target.kind == Target::Kind::kPfd) {
        server_log.warn("{}: remotes can only be specified on the command line", remote.target);
        continue;
      }
      spec.value().options.freebind = configured.active_only;
      specs.push_back(std::move(spec.value()));
      const auto before =
          std::find_if(in_database_.begin(), in_database_.end(),
                       [&](const InDatabase& known) { return known.remote.row == remote.row; });
      in_database.push_back(
          {path, std::move(remote), before == in_database_.end() ? std::nullopt : before->written});
    }
  }
  in_database_ = std::move(in_database);
  {
    std::lock_guard lock(mutex_);
    watched_ = std::move(watched);
  }
  manager_.configure(specs);
  write_status();
}

void RemoteConfig::write_status() {
  std::map<std::string, net::RemoteStatus> statuses;
  for (net::RemoteStatus& status : manager_.statuses())
    statuses.emplace(status.target, std::move(status));
  for (InDatabase& entry : in_database_) {
    if (!entry.remote.row) continue;
    const auto found = statuses.find(entry.remote.target);
    DbRemoteStatus status;
    if (found != statuses.end()) status = {found->second.is_connected, found->second.values};
    if (entry.written == status) continue;
    entry.written = status;
    server_.call([&] { write_remote_status(server_, entry.path, entry.remote, status); }, home_);
  }
}

// --- TLS ---

std::string RemoteConfig::tls_setting(const std::string& source) {
  if (!is_db(source)) return source;
  Result<std::string> found(boost::system::in_place_value);
  server_.call([&] { found = read_string(server_, source); }, home_);
  if (found) return found.value();
  server_log.warn("{}", found.error().to_string());
  return {};
}

void RemoteConfig::refresh_tls() {
  net::TlsConfig config = tls_sources_;
  for (std::string* setting :
       {&config.private_key, &config.certificate, &config.ca_cert, &config.peer_ca_cert,
        &config.protocols, &config.ciphers, &config.ciphersuites}) {
    *setting = tls_setting(*setting);
  }
  if (config != tls_.config()) tls_.configure(std::move(config));
}

}  // namespace tandem
