// How databases come, go and are compacted by command.

#include <fmt/core.h>

#include "server/control/command_registry.h"
#include "server/daemon/server.h"
#include "server/logging/log.h"
#include "server/storage/daily_window.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

}  // namespace

std::optional<Error> Server::file_decides() const {
  if (!options_.config_file) return std::nullopt;
  return control::command_error(
      fmt::format("databases and remotes are those of the configuration file: change {} and run "
                  "ovsdb-server/reload",
                  *options_.config_file));
}

void Server::add_database(const std::string& file, control::Done done) {
  if (const std::optional<Error> refused = file_decides()) return done(*refused);
  if (RelayName::is_one(file)) return add_relay(file, done);
  using Stored = Result<std::unique_ptr<StoredDatabase>>;
  errands_.run(
      to_files_, [this, file] { return open_database(file); },
      [this, done = std::move(done)](Stored stored) {
        if (!stored) return done(stored.error());
        const auto& damage = stored.value()->log()->health().damage;
        if (damage && role_.state() != RoleState::kBackup)
          return done(
              Error{damage->to_string() + ": only a backup can serve it", "", std::nullopt});
        serve_database(std::move(stored.value()), done);
      });
}

void Server::serve_database(std::unique_ptr<StoredDatabase> stored, const control::Done& done) {
  const std::string name = stored->schema()->name();
  const std::string path = stored->path();
  auto add = [this, stored = std::move(stored), backup = role_.backups().contains(name),
              name]() mutable {
    Result<void> added = databases_.add(std::move(stored));
    if (added && backup) databases_.set_backup(*databases_.find(name), true);
    databases_.flush();  // home knows of it before it tells
    return added;
  };
  errands_.run(to_writer_, std::move(add), [this, name, path, done](const Result<void>& added) {
    if (added) {
      files_of_[name] = path;
      save_state();
      role_.databases_changed();  // the role may have changed meanwhile
    }
    done(added);
  });
}

void Server::remove_database(const std::string& name, control::Done done) {
  if (const std::optional<Error> refused = file_decides()) return done(*refused);
  const auto remove = [this, name] {
    relays_.remove(name);
    Result<void> removed = databases_.remove(name);
    databases_.flush();
    return removed;
  };
  errands_.run(to_writer_, remove,
               [this, name, done = std::move(done)](const Result<void>& removed) {
                 if (removed) {
                   files_of_.erase(name);
                   save_state();
                 }
                 done(removed);
               });
}

void Server::compact(const std::string& name, control::Done done) {
  const auto told = [this, done](const Result<void>& result) {
    home_.post([done, result] { done(result); });
  };
  // The outcome of the job is that the compaction has begun; `told` gets the outcome of that.
  const auto begin = [this, name, told]() -> Result<void> {
    ServedDatabase* database = databases_.find(name);
    if (database == nullptr) return control::command_error("no database by that name");
    databases_.compact(*database, told);
    return {};
  };
  errands_.run(to_writer_, begin, [done](const Result<void>& begun) {
    if (!begun) done(begun);
  });
}

void Server::compact_due_databases() {
  submit([this] {
    databases_.look_at_failing_logs();
    for (const auto& [name, database] : databases_.databases()) {
      if (database->stored->log() == nullptr || database->is_compacting()) continue;
      const std::chrono::milliseconds since(clock_.monotonic_ms() - database->compacted_ms());
      if (!options_.compaction.is_due(database->stored->log()->growth(),
                                      std::chrono::duration_cast<std::chrono::seconds>(since),
                                      storage::local_time_of_day(clock_.wall_ms()))) {
        continue;
      }
      server_log.info("{}: compacting database", name);
      databases_.compact(*database, [name = name](const Result<void>& compacted) {
        if (!compacted)
          server_log.warn("{}: compaction failed: {}", name, compacted.error().to_string());
      });
    }
  });
}

}  // namespace tandem
