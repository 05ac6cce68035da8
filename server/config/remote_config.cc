#include "server/config/remote_config.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

/// Status columns follow so often, as ovsdb-server has it: each time is a transaction.
constexpr std::int64_t kStatusEveryMs = 2500;

constexpr std::string_view kOnlyOnCommandLine =
    "pfd: remotes can only be specified on the command line";

bool is_db(std::string_view text) { return text.starts_with("db:"); }

/// The settings that may stand in a database.
template <class Config>
auto sources_of(Config& config) {
  return std::array{&config.private_key,  &config.certificate, &config.ca_cert,
                    &config.peer_ca_cert, &config.protocols,   &config.ciphers,
                    &config.ciphersuites};
}

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
      return Error{std::string(kOnlyOnCommandLine), "", std::nullopt};
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
  known_problems_ = std::exchange(problems_, {});
  refresh_tls();

  std::vector<net::RemoteSpec> specs;
  std::vector<InDatabase> in_database;
  std::set<std::pair<std::string, std::string>> watched;
  const auto watch_tls = [&](const std::string& source) {
    if (const Result<ColumnPath> path = ColumnPath::parse(source); is_db(source) && path) {
      watched.emplace(path.value().database, path.value().table);
    }
  };
  for (const std::string* source : sources_of(tls_sources_)) watch_tls(*source);
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
        [&, name = name] {
          checked = check_remotes_column(server_, name);
          remotes = read_remotes(server_, path);
        },
        home_);
    if (!checked) complain(checked.error().to_string());
    for (const DbRemote& remote : remotes) {
      if (!remote.table.empty()) watched.emplace(path.database, remote.table);
      // Also of a target that is refused: what is told of a former one has to go.
      if (remote.row) in_database.push_back({path.database, remote});
      if (remote.target.empty()) continue;
      Result<net::RemoteSpec> spec = spec_of(remote.target, options_of(remote));
      if (!spec) {
        note(spec.error().to_string(),
             log::Level::kInfo);  // whoever wrote it sees that nobody listens
        continue;
      }
      if (spec.value().target.kind == Target::Kind::kPfd) {
        complain(std::string(kOnlyOnCommandLine));
        continue;
      }
      spec.value().options.freebind = configured.active_only;
      specs.push_back(std::move(spec.value()));
    }
  }
  std::vector<InDatabase> fresh;
  std::copy_if(in_database.begin(), in_database.end(), std::back_inserter(fresh),
               [&](const InDatabase& entry) {
                 return std::find(in_database_.begin(), in_database_.end(), entry) ==
                        in_database_.end();
               });
  in_database_ = std::move(in_database);
  {
    std::lock_guard lock(mutex_);
    watched_ = std::move(watched);
  }
  manager_.configure(specs);
  if (!fresh.empty()) server_.call(status_job(fresh), home_);
  if (!in_database_.empty() && !timer_set())
    home_.set_timer(*this, net::IoShard::now_ms() + kStatusEveryMs);
}

void RemoteConfig::note(std::string problem, log::Level level) {
  if (!known_problems_.contains(problem)) server_log.write(level, problem);
  problems_.insert(std::move(problem));
}

void RemoteConfig::on_timer(std::int64_t now_ms) {
  if (in_database_.empty()) return;
  // Nobody waits: the writer may be busy, and this thread answers control commands.
  server_.submit(status_job(in_database_), home_);
  home_.set_timer(*this, now_ms + kStatusEveryMs);
}

Task RemoteConfig::status_job(std::vector<InDatabase> remotes) const {
  std::map<std::string, DbRemoteStatus> statuses;
  for (net::RemoteStatus& status : manager_.statuses())
    statuses[status.target] = {status.is_connected, std::move(status.values)};
  return
      [&server = server_, remotes = std::move(remotes), statuses = std::move(statuses)]() mutable {
        const DbRemoteStatus unknown{false, {{"state", "BACKOFF"}}};
        for (const InDatabase& entry : remotes) {
          const auto status = statuses.find(entry.remote.target);
          write_remote_status(server, entry.database, entry.remote,
                              status == statuses.end() ? unknown : status->second);
        }
      };
}

// --- TLS ---

Result<std::string> RemoteConfig::tls_setting(const std::string& source) {
  Result<std::string> found(boost::system::in_place_value, source);
  if (is_db(source)) server_.call([&] { found = read_string(server_, source); }, home_);
  return found;
}

Result<void> RemoteConfig::check_tls() {
  for (const std::string* source : sources_of(tls_sources_)) {
    if (const auto found = tls_setting(*source); !found) return found.error();
  }
  return {};
}

void RemoteConfig::refresh_tls() {
  // What cannot be read any more, since its database has gone, stays as it was.
  net::TlsConfig before = tls_.config();
  net::TlsConfig config = tls_sources_;
  const auto former = sources_of(before);
  const auto settings = sources_of(config);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const Result<std::string> found = tls_setting(*settings[i]);
    if (!found) complain(found.error().to_string());
    *settings[i] = found ? *found : *former[i];
  }
  if (config != before) tls_.configure(std::move(config));
}

}  // namespace tandem
