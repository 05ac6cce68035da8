#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/config/db_remotes.h"
#include "server/net/remote_manager.h"
#include "server/posix/mutex.h"

namespace tandem {

/// The remotes that the server is to serve, wherever they are configured: command line, control
/// command, configuration file, or rows of a database ("db:DB,TABLE,COLUMN"), which it follows and
/// writes the status back to. Also the TLS settings that may stand in a database. Lives on the home
/// thread (`home`), which never waits for the writer: what stands in databases is kept as it was
/// last read. Watches commits on the writer.
class RemoteConfig final : private CommitObserver, private net::WheelTimer {
 public:
  enum class Origin : std::uint8_t { kCommandLine, kRunTime };

  /// `jobs` lends its thread to the writer for jobs of home.
  RemoteConfig(DatabaseServer& server, net::IoShard& home, TaskRunner& jobs,
               net::RemoteManager& manager, net::TlsContext& tls, std::string run_directory,
               const net::RemoteDefaults& defaults = {});
  ~RemoteConfig() override;

  static bool is_in_database(std::string_view remote) { return remote.starts_with("db:"); }
  /// The names to read from databases for the remotes that there are, and for these.
  DbQuery query(const std::vector<std::string>& more = {}) const;
  /// Takes what was read; takes effect with refresh().
  void learn(DbFindings findings);

  /// Error with ovsdb-server's text. Adding an existing one is fine. One in a database must have
  /// been learnt of. Takes effect with refresh().
  Result<void> add(const std::string& remote, const net::RemoteOptions& options, Origin origin);
  /// Listens only while this server is active.
  Result<void> add_active_only(const std::string& remote);
  /// False if there is none. Takes effect with refresh().
  bool remove(const std::string& remote);
  /// Forgets all but those that listen only while this server is active; they are the command
  /// line's. Takes effect with refresh().
  void clear() {
    std::erase_if(remotes_, [](const auto& entry) { return !entry.second.active_only; });
  }
  /// Configured ones, sorted; not what "db:" led to.
  std::vector<std::string> list() const;
  /// Those of them that listen only while this server is active.
  std::vector<std::string> list_active_only() const;
  /// How all stand, those included that "db:" led to, and those that wait for this server to be
  /// active.
  std::vector<net::RemoteStatus> statuses() const;

  void set_active(bool active);
  /// Error if a setting of TLS is said to be in a database and cannot be.
  Result<void> check_tls();
  /// File names or "db:..." for each; takes effect with refresh().
  void set_tls(const net::TlsConfig& sources) { tls_sources_ = sources; }

  /// Opens and closes remotes as is known now: on return listeners listen, or have logged why not.
  /// Then has the databases read again.
  void refresh();

 private:
  struct Configured {
    net::RemoteOptions options;
    bool active_only = false;
  };
  /// A remote in a row, as it stands now.
  struct InDatabase {
    std::string database;
    DbRemote remote;
    bool operator==(const InDatabase&) const = default;
  };

  void on_logged(const ServedDatabase& database, const CommitRef& commit) override;
  void on_databases_changed() override;
  /// On the writer: what stands in the databases now, for home.
  void tell_home();
  void read_again();
  void apply();
  void apply_database(const std::string& name, const Configured& configured,
                      std::vector<net::RemoteSpec>& specs, std::vector<InDatabase>& in_database);
  void watch(const std::vector<InDatabase>& in_database);
  Result<net::RemoteSpec> spec_of(const std::string& target,
                                  const net::RemoteOptions& options) const;
  /// Fills in what is set for the whole server.
  void add_defaults(net::RemoteSpec& spec, bool in_database) const;
  void refresh_tls();
  /// Logs what is wrong with a setting when it has become so, not at each refresh().
  void note(std::string problem, log::Level level);
  void complain(std::string problem) { note(std::move(problem), log::Level::kWarn); }
  void on_timer(std::int64_t now_ms) override;
  /// Writes the remotes' status, as it is now, into their rows.
  Task status_job(std::vector<InDatabase> remotes) const;
  /// Nothing if it has not been read yet.
  std::optional<Result<std::string>> tls_setting(const std::string& source) const;

  DatabaseServer& server_;
  net::IoShard& home_;
  TaskRunner& jobs_;
  net::RemoteManager& manager_;
  net::TlsContext& tls_;
  const std::string run_directory_;
  const net::RemoteDefaults defaults_;

  bool active_ = true;
  std::map<std::string, Configured> remotes_;
  net::TlsConfig tls_sources_;
  DbFindings found_;
  std::vector<InDatabase> in_database_;
  std::set<std::string> problems_;        // of the last refresh(), or the one under way
  std::set<std::string> known_problems_;  // of the one before

  Mutex mutex_;
  std::set<std::pair<std::string, std::string>> watched_ GUARDED_BY(mutex_);  // (database, table)
  DbQuery watched_query_ GUARDED_BY(mutex_);
  std::atomic<bool> findings_posted_ = false;  // home has not taken them yet
  std::atomic<bool> findings_stale_ = false;   // and more has changed since
  std::atomic<bool> reading_waits_ = false;    // for the writer, with the query that follows
  DbQuery waiting_query_;
};

}  // namespace tandem
