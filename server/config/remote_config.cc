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

RemoteConfig::RemoteConfig(DatabaseServer& server, net::IoShard& home, TaskRunner& jobs,
                           net::RemoteManager& manager, net::TlsContext& tls,
                           std::string run_directory, const net::RemoteDefaults& defaults)
    : server_(server),
      home_(home),
      jobs_(jobs),
      manager_(manager),
      tls_(tls),
      run_directory_(std::move(run_directory)),
      defaults_(defaults) {
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
  if (is_in_database(remote)) {
    const Result<std::vector<DbRemote>>& found = found_.remotes.at(remote);
    if (!found) return found.error();
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

std::vector<net::RemoteStatus> RemoteConfig::statuses() const {
  std::vector<net::RemoteStatus> statuses = manager_.statuses();
  if (active_) return statuses;
  for (const std::string& remote : list_active_only()) {
    net::RemoteStatus& status = statuses.emplace_back();
    status.target = remote;
    status.state = "closed";
  }
  return statuses;
}

void RemoteConfig::set_active(bool active) {
  if (active_ == active) return;
  active_ = active;
  refresh();
}

// --- following the databases ---

DbQuery RemoteConfig::query(const std::vector<std::string>& more) const {
  DbQuery query;
  for (const std::string& name : more) {
    if (is_in_database(name)) query.remotes.insert(name);
  }
  for (const auto& [name, configured] : remotes_) {
    if (is_in_database(name)) query.remotes.insert(name);
  }
  for (const std::string* source : sources_of(tls_sources_)) {
    if (is_in_database(*source)) query.settings.insert(*source);
  }
  return query;
}

void RemoteConfig::learn(DbFindings findings) {
  // Only what was asked for: a name may have been added since.
  for (auto& [name, remotes] : findings.remotes)
    found_.remotes.insert_or_assign(name, std::move(remotes));
  found_.settings = std::move(findings.settings);
}

void RemoteConfig::on_logged(const ServedDatabase& database, const CommitRef& commit) {
  const auto is_watched = [&](const RowChange& change) REQUIRES(mutex_) {
    return watched_.contains({database.info->name, commit->schema->table(change.table).name});
  };
  {
    MutexLock lock(mutex_);
    if (std::none_of(commit->changes.begin(), commit->changes.end(), is_watched)) return;
  }
  tell_home();
}

void RemoteConfig::on_databases_changed() { tell_home(); }

void RemoteConfig::tell_home() {
  if (findings_posted_.exchange(true)) {
    findings_stale_ = true;
    return;
  }
  DbQuery wanted;
  {
    MutexLock lock(mutex_);
    wanted = watched_query_;
  }
  home_.post([this, found = answer_query(server_, wanted)]() mutable {
    findings_posted_ = false;
    learn(std::move(found));
    apply();
    if (findings_stale_.exchange(false)) read_again();
  });
}

void RemoteConfig::read_again() {
  DbQuery wanted = query();
  if (wanted == DbQuery{}) return;
  // One that waits for a busy writer will see all that there is to see.
  if (reading_waits_.exchange(true) && wanted == waiting_query_) return;
  waiting_query_ = wanted;
  server_.submit(
      [this, wanted = std::move(wanted)] {
        reading_waits_ = false;
        home_.post([this, found = answer_query(server_, wanted)]() mutable {
          learn(std::move(found));
          apply();
        });
      },
      jobs_);
}

void RemoteConfig::refresh() {
  apply();
  read_again();
}

void RemoteConfig::apply() {
  known_problems_ = std::exchange(problems_, {});
  refresh_tls();
  std::vector<net::RemoteSpec> specs;
  std::vector<InDatabase> in_database;
  for (const auto& [name, configured] : remotes_) {
    if (configured.active_only && !active_) continue;
    if (is_in_database(name)) {
      apply_database(name, configured, specs, in_database);
      continue;
    }
    specs.push_back(spec_of(name, configured.options).value());
    specs.back().options.freebind = configured.active_only;
    add_defaults(specs.back(), false);
  }
  std::vector<InDatabase> fresh;
  std::copy_if(in_database.begin(), in_database.end(), std::back_inserter(fresh),
               [&](const InDatabase& entry) {
                 return std::find(in_database_.begin(), in_database_.end(), entry) ==
                        in_database_.end();
               });
  watch(in_database);
  in_database_ = std::move(in_database);
  manager_.configure(specs);
  if (!fresh.empty()) server_.submit(status_job(fresh), jobs_);
  if (!in_database_.empty() && !timer_set())
    home_.set_timer(*this, net::IoShard::now_ms() + kStatusEveryMs);
}

void RemoteConfig::apply_database(const std::string& name, const Configured& configured,
                                  std::vector<net::RemoteSpec>& specs,
                                  std::vector<InDatabase>& in_database) {
  const auto found = found_.remotes.find(name);
  if (found == found_.remotes.end()) return;  // a reading is under way
  if (!found->second) return complain(found->second.error().to_string());
  const std::string database = ColumnPath::parse(name).value().database;
  for (const DbRemote& remote : found->second.value()) {
    // Also of a target that is refused: what is told of a former one has to go.
    if (remote.row) in_database.push_back({database, remote});
    if (remote.target.empty()) continue;
    Result<net::RemoteSpec> spec = spec_of(remote.target, options_of(remote));
    if (!spec) {
      // The status of its row tells the writer that nobody listens.
      note(spec.error().to_string(), log::Level::kInfo);
      continue;
    }
    if (spec.value().target.kind == Target::Kind::kPfd) {
      complain(std::string(kOnlyOnCommandLine));
      continue;
    }
    spec.value().options.freebind = configured.active_only;
    add_defaults(spec.value(), true);
    specs.push_back(std::move(spec.value()));
  }
}

void RemoteConfig::add_defaults(net::RemoteSpec& spec, bool in_database) const {
  if (!spec.target.path.empty()) return;  // a unix socket: its kernel knows when the peer has gone
  if (!in_database && !spec.options.inactivity_probe_ms)
    spec.options.inactivity_probe_ms = defaults_.inactivity_probe_ms;
  spec.options.keepalive_ms = defaults_.keepalive_ms;
}

/// Commits to the tables that matter lead to another reading. What came between the reading and
/// this call does, too.
void RemoteConfig::watch(const std::vector<InDatabase>& in_database) {
  std::set<std::pair<std::string, std::string>> tables;
  const DbQuery wanted = query();
  for (const std::set<std::string>* names : {&wanted.remotes, &wanted.settings}) {
    for (const std::string& name : *names) {
      if (const Result<ColumnPath> path = ColumnPath::parse(name); path)
        tables.emplace(path.value().database, path.value().table);
    }
  }
  for (const InDatabase& entry : in_database) tables.emplace(entry.database, entry.remote.table);
  {
    MutexLock lock(mutex_);
    watched_query_ = wanted;
    if (tables == watched_) return;
    watched_ = std::move(tables);
  }
  read_again();
}

void RemoteConfig::note(std::string problem, log::Level level) {
  if (!known_problems_.contains(problem)) server_log.write(level, problem);
  problems_.insert(std::move(problem));
}

void RemoteConfig::on_timer(std::int64_t now_ms) {
  if (in_database_.empty()) return;
  server_.submit(status_job(in_database_), jobs_);
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

std::optional<Result<std::string>> RemoteConfig::tls_setting(const std::string& source) const {
  if (!is_in_database(source)) return Result<std::string>(boost::system::in_place_value, source);
  const auto found = found_.settings.find(source);
  return found == found_.settings.end() ? std::nullopt : std::optional(found->second);
}

Result<void> RemoteConfig::check_tls() {
  for (const std::string* source : sources_of(tls_sources_)) {
    if (const auto found = tls_setting(*source); found && !*found) return found->error();
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
    const std::optional<Result<std::string>> found = tls_setting(*settings[i]);
    if (found && !*found) complain(found->error().to_string());
    *settings[i] = found && *found ? found->value() : *former[i];
  }
  if (config != before) tls_.configure(std::move(config));
}

}  // namespace tandem
