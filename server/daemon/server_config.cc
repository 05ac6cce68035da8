// The configuration file (--config-file): at the start and at each reload everything that it says
// is brought about, and what cannot be is logged.

#include <algorithm>

#include "server/control/command_registry.h"
#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

/// Does the file hold what the configuration calls it, and can it have that source? Files that are
/// clustered are not opened.
Result<void> check(const std::string& file, const ConfigFile::Database& settings) {
  if (settings.model == ConfigFile::Model::kClustered)
    return Error{"ovsdb error", file + ": database is standalone and not clustered", std::nullopt};
  return Upstreams::check_source(settings.source);
}

}  // namespace

void Server::reload(control::Done done) {
  if (!options_.config_file)
    return done(control::command_error("Configuration file was not specified on command line"));
  if (reloading_) return done(control::command_error("another reload is under way"));
  reloading_ = true;
  const control::Done answer = [this, done = std::move(done)](const Result<void>& result) {
    reloading_ = false;
    done(result);
  };
  errands_.run(
      to_files_, [file = *options_.config_file] { return ConfigFile::load(file); },
      [this, answer](const Result<ConfigFile>& config) {
        if (!config) return answer(config.error());
        when_writer_answers([this, config = *config, answer] { reload_databases(config, answer); },
                            answer);
      });
}

/// At the start: what can be applied is; the error is the first one. `backups` are those of the
/// configuration.
Result<void> Server::apply_config(const ConfigFile& config, BackupSet& backups) {
  std::vector<Opened> files = to_open(config);
  open_files(files);
  databases_.call([&] { add_databases(files); }, jobs_);
  const Result<void> databases = note_databases(files);
  if (config.advertised_role) set_advertised_role(*config.advertised_role);
  backups = upstreams_.configure(config, files_of_);
  remotes_->learn(at_start([&] { return answer_query(databases_, query_of(config)); }));
  const Result<void> remotes = apply_remotes(config);
  return databases ? remotes : databases;
}

/// The same at run time, step by step on the writer and the thread that opens files: what goes,
/// goes first, since it may be the same file under another name.
void Server::reload_databases(const ConfigFile& config, control::Done done) {
  std::vector<std::string> gone;
  for (const auto& [name, file] : files_of_) {
    const auto wanted = config.databases.find(file);
    if (wanted == config.databases.end() || !is_as_configured(name, wanted->second))
      gone.push_back(name);
  }
  for (const std::string& name : gone) {
    files_of_.erase(name);
    relay_settings_.erase(name);
  }
  const auto files = std::make_shared<std::vector<Opened>>(to_open(config));
  const auto add = [this, config, files, done = std::move(done)](const Result<void>&) {
    errands_.finish(
        to_writer_,
        [this, files, query = query_of(config)] {
          add_databases(*files);
          return Result<DbFindings>(answer_query(databases_, query));
        },
        [this, config, files, done](Result<DbFindings> found) {
          remotes_->learn(std::move(found.value()));
          finish_reload(config, note_databases(*files), done);
        });
  };
  const auto open = [this, add, files](const Result<void>&) {
    errands_.finish(
        to_files_,
        [this, files] {
          open_files(*files);
          return Result<void>();
        },
        add);
  };
  errands_.finish(
      to_writer_,
      [this, gone] {
        for (const std::string& name : gone) {
          relays_.remove(name);
          static_cast<void>(databases_.remove(name));
        }
        return Result<void>();
      },
      open);
}

void Server::finish_reload(const ConfigFile& config, const Result<void>& databases,
                           const control::Done& done) {
  if (config.advertised_role) set_advertised_role(*config.advertised_role);
  const auto before = upstreams_.configured();
  const BackupSet backups = with_damaged(upstreams_.configure(config, files_of_));
  const Result<void> remotes = apply_remotes(config);
  const Result<void> applied = databases ? remotes : databases;
  remotes_->refresh();
  save_state();
  if (upstreams_.configured() == before && backups == role_.backups()) return done(applied);
  role_.reload(backups,
               [applied, done](const Result<void>& settled) { done(applied ? settled : applied); });
}

/// The databases of the configuration that are not served yet; of those that are, whether they may
/// be.
std::vector<Server::Opened> Server::to_open(const ConfigFile& config) const {
  std::vector<Opened> files;
  for (const auto& [file, settings] : config.databases) {
    Opened opened{file, settings, {}, nullptr, "", serves_file(file)};
    files.push_back(std::move(opened));
  }
  return files;
}

/// Any thread. Databases of the configuration file are in the folder of databases, if their names
/// are relative.
void Server::open_files(std::vector<Opened>& files) {
  for (Opened& opened : files) {
    if (opened.settings.model == ConfigFile::Model::kRelay) continue;  // there is no file
    if (opened.served) opened.outcome = check(opened.file, opened.settings);
    if (opened.served) continue;
    Result<std::unique_ptr<StoredDatabase>> stored =
        open_database(Directories::resolve(directories_.db, opened.file));
    opened.outcome = stored ? check(opened.file, opened.settings) : Result<void>(stored.error());
    if (opened.outcome) opened.stored = std::move(stored.value());
  }
}

/// On the writer. A backup is one before anybody can write to it.
void Server::add_databases(std::vector<Opened>& files) {
  for (Opened& opened : files) {
    if (opened.settings.model == ConfigFile::Model::kRelay && !opened.served) {
      opened.name = opened.file;
      const Result<RelaySource> source = configured_source(opened.settings);
      opened.outcome = source ? serve_relay(opened.name, *source) : Result<void>(source.error());
    }
    if (opened.stored == nullptr) continue;
    opened.name = opened.stored->schema()->name();
    opened.outcome = databases_.add(std::move(opened.stored));
    if (opened.outcome && opened.settings.backup)
      databases_.set_backup(*databases_.find(opened.name), true);
  }
  databases_.flush();  // home knows of them before it goes on
}

/// The error is the first one.
Result<void> Server::note_databases(const std::vector<Opened>& files) {
  Result<void> outcome;
  for (const Opened& opened : files) {
    if (opened.outcome) {
      if (opened.served) continue;
      files_of_[opened.name] = opened.file;
      if (opened.settings.model == ConfigFile::Model::kRelay)
        relay_settings_[opened.name] = opened.settings;
      continue;
    }
    server_log.warn("failed to open database '{}': {}", opened.file,
                    opened.outcome.error().to_string());
    if (outcome) outcome = opened.outcome;
  }
  if (!outcome) server_log.warn("failed to configure databases");
  return outcome;
}

/// The names to read from databases for the remotes of the configuration.
DbQuery Server::query_of(const ConfigFile& config) const {
  std::vector<std::string> names;
  for (const auto& [remote, options] : config.remotes) names.push_back(remote);
  return remotes_->query(names);
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
