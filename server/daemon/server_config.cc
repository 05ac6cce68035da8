// The configuration file (--config-file): at the start and at each reload everything that it says
// is brought about, and what cannot be is logged.

#include <algorithm>

#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

Error user_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// Does the file hold what the configuration calls it? Files that are clustered are not opened.
Result<void> check_model(const std::string& file, ConfigFile::Model model) {
  if (model == ConfigFile::Model::kRelay)
    return Error{"ovsdb error", file + ": relays are not supported", std::nullopt};
  if (model != ConfigFile::Model::kClustered) return {};
  return Error{"ovsdb error", file + ": database is standalone and not clustered", std::nullopt};
}

}  // namespace

void Server::reload(control::Done done) {
  if (!options_.config_file)
    return done(user_error("Configuration file was not specified on command line"));
  const Result<ConfigFile> config = ConfigFile::load(*options_.config_file);
  if (!config) return done(config.error());
  const std::map<std::string, Role> before = roles_;
  const Result<void> applied = apply_config(*config);
  remotes_->refresh();
  save_state();
  if (roles_ == before) return done(applied);
  settle_roles([applied, done = std::move(done)](const Result<void>& settled) {
    done(applied ? settled : applied);
  });
}

/// What can be applied is; the error is the first one.
Result<void> Server::apply_config(const ConfigFile& config) {
  const Result<void> databases = apply_databases(config);
  read_roles(config);
  const Result<void> remotes = apply_remotes(config);
  return databases ? remotes : databases;
}

Result<void> Server::apply_databases(const ConfigFile& config) {
  Result<void> outcome;
  std::vector<std::string> gone;
  for (const auto& [name, file] : files_of_) {
    if (!config.databases.contains(file)) gone.push_back(name);
  }
  for (const std::string& name : gone) {
    static_cast<void>(on_writer([&] { return databases_.remove(name); }));
    files_of_.erase(name);
  }
  for (const auto& [file, settings] : config.databases) {
    const Result<void> opened = serves_file(file)
                                    ? check_model(file, settings.model)
                                    : serve_file(file, settings.model, settings.backup);
    if (opened) continue;
    server_log.warn("failed to open database '{}': {}", file, opened.error().to_string());
    if (outcome) outcome = opened;
  }
  if (!outcome) server_log.warn("failed to configure databases");
  return outcome;
}

/// Databases of the configuration file are in the folder of databases, if their names are relative.
/// A backup is one before anybody can write to it.
Result<void> Server::serve_file(const std::string& file, ConfigFile::Model model, bool backup) {
  if (model == ConfigFile::Model::kRelay) return check_model(file, model);
  Result<std::unique_ptr<StoredDatabase>> stored =
      open_database(Directories::resolve(directories_.db, file));
  if (!stored) return stored.error();
  if (const Result<void> fits = check_model(file, model); !fits) return fits;
  const std::string name = stored.value()->schema()->name();
  const Result<void> added = on_writer([&] {
    Result<void> result = databases_.add(std::move(stored.value()));
    if (result && backup) databases_.set_backup(*databases_.find(name), true);
    return result;
  });
  if (added) files_of_[name] = file;
  return added;
}

void Server::read_roles(const ConfigFile& config) {
  roles_.clear();
  active_server_.clear();
  for (const auto& [name, file] : files_of_) {
    const ConfigFile::Database& settings = config.databases.at(file);
    Role role;
    role.backup = settings.backup;
    role.source = settings.source;
    role.probe_ms = settings.source_options.inactivity_probe_ms.value_or(probe_ms_);
    role.excluded = settings.exclude_tables;
    if (active_server_.empty()) active_server_ = role.source;
    roles_[name] = std::move(role);
  }
}

Result<void> Server::apply_remotes(const ConfigFile& config) {
  Result<void> outcome;
  remotes_->clear();
  for (const auto& [remote, options] : config.remotes) {
    const Result<void> added = remotes_->add(remote, options, RemoteConfig::Origin::kRunTime);
    if (added) continue;
    server_log.warn("failed to configure remotes: {}", added.error().to_string());
    if (outcome) outcome = added;
  }
  return outcome;
}

}  // namespace tandem
