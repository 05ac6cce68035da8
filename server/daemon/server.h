#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/backup/backup_services.h"
#include "server/config/config_file.h"
#include "server/config/remote_config.h"
#include "server/control/role_control.h"
#include "server/control/server_control.h"
#include "server/control/status_board.h"
#include "server/daemon/client_threads.h"
#include "server/daemon/errands.h"
#include "server/daemon/handover.h"
#include "server/daemon/home_timer.h"
#include "server/daemon/options.h"
#include "server/daemon/role_host.h"
#include "server/daemon/upstreams.h"
#include "server/net/remote_manager.h"
#include "server/posix/directories.h"
#include "server/relay/relay_service.h"
#include "server/storage/posix_file_system.h"
#include "server/writer/database_server.h"
#include "server/writer/table_log.h"

namespace tandem {

/// The running server: owns threads, databases, remotes and roles, and carries out control
/// commands. Lives on the home thread, the one that calls it; Asio's loop there is `home`. Once it
/// serves, home waits neither for the writer nor for a client thread or a disk (`Errands`).
class Server final : public control::ServerControl,
                     public control::RoleControl,
                     private RoleHost::Port {
 public:
  /// `save` takes what the next server is to begin with should this one crash.
  Server(const Options& options, const Directories& directories, net::IoShard& home,
         std::function<void(const HandoverState&)> save);
  ~Server() override;

  /// Opens the databases and takes the role. On failure warnings are logged, and the error is for
  /// the user. `before` is what a server that crashed left.
  Result<void> start(const std::optional<HandoverState>& before);
  /// Listens, and follows as a backup.
  void serve();
  /// Closes all connections, and files as it is destroyed; `done` runs on home. Not `orderly` if
  /// that took too long, because a thread is blocked: then destroying this may never end.
  void shut_down(std::function<void(bool orderly)> done);
  net::TlsContext& tls() { return tls_; }

  // control::ServerControl
  std::vector<std::string> list_databases() override;
  void add_database(const std::string& file, control::Done done) override;
  void remove_database(const std::string& name, control::Done done) override;
  void compact(const std::string& name, control::Done done) override;
  Result<std::string> storage_status(const std::string& name) override;
  std::vector<std::string> list_remotes() override;
  void add_remote(const std::string& remote, control::Done done) override;
  void remove_remote(const std::string& remote, control::Done done) override;
  void reconnect_clients() override;
  void disable_monitor_cond() override;
  void reload(control::Done done) override;
  control::SyncStatus sync_status() override;
  std::string active_server() override { return upstreams_.active_server(); }
  void set_active_server(const std::string& remote, control::Done done) override;
  void connect_active(control::Done done) override;
  void disconnect_active(control::Done done) override;
  std::string sync_exclude_tables() override { return upstreams_.excluded_tables(); }
  void set_sync_exclude_tables(const std::string& list, control::Done done) override;
  void set_active_probe_interval(std::int64_t milliseconds) override;
  void set_relay_probe_interval(std::int64_t milliseconds) override;
  void memory_usage(std::function<void(const Counts&)> then) override;
  void set_memory_trim_on_compaction(bool enabled) override;
  control::TableLogging table_logging() override;
  void set_table_logging(const std::string& database, const std::string& table,
                         bool enabled) override;

  // control::RoleControl
  control::ServerStatus status() override;
  void refresh(std::function<void(bool fresh)> then) override;
  /// Runs `then` on home when the writer has told what status() shows, however long it is busy.
  void when_refreshed(std::function<void()> then);
  void sessions(std::function<void(const std::vector<SessionFacts>&)> then) override;
  void promote(const Promotion& promotion, control::Done done) override;
  void demote(const Demotion& demotion, control::DoneWithText done) override;
  void set_sync(const control::SyncSettings& settings) override;
  Result<void> set_sync_peers(const std::string& names) override;
  void set_node_name(const std::string& name) override;
  void set_advertised_role(AdvertisedRole role) override;
  Result<void> renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) override;
  Result<void> disarm_lease() override;
  void call_later(std::int64_t delay_ms, std::function<void()> task) override;

 private:
  /// Runs f on the writer and returns its value; before serve() only.
  template <class F>
  auto at_start(F&& f) {
    std::optional<decltype(f())> value;
    databases_.call([&] { value.emplace(f()); }, jobs_);
    return std::move(*value);
  }
  /// Runs a job on the writer, but never on home, which a write might block.
  void submit(Task job) { databases_.submit(std::move(job), jobs_); }
  const Errands::HandIn to_writer_ = [this](Task job) { submit(std::move(job)); };
  const Errands::HandIn to_files_ = [this](Task job) { files_thread_.post(std::move(job)); };
  /// Goes on with `then` if the writer answers in time; `otherwise` gets server_is_busy().
  void when_writer_answers(std::function<void()> then, std::function<void(const Error&)> otherwise);
  std::unique_ptr<ClientHub> make_hub(net::IoShard& shard);
  Result<std::unique_ptr<StoredDatabase>> open_database(const std::string& file);
  /// Adds the databases whose files are damaged.
  BackupSet with_damaged(BackupSet backups) const;
  /// Why databases and remotes do not change by command; nothing: they do.
  std::optional<Error> file_decides() const;
  /// Is a database served from the file that was given under this name?
  bool serves_file(const std::string& file) const;
  void serve_database(std::unique_ptr<StoredDatabase> stored, const control::Done& done);
  Result<void> open_file(const std::string& file);
  Result<void> open_databases(const std::vector<std::string>& files);
  Result<void> configure_remotes(const std::vector<std::string>& remotes,
                                 const std::vector<std::string>& active_remotes);

  // Relays
  RelaySource with_settings(RelaySource source) const;
  Result<void> serve_relay(const std::string& name, const RelaySource& source);
  Result<void> open_relay(const std::string& file);
  void add_relay(const std::string& file, const control::Done& done);
  Result<RelaySource> configured_source(const ConfigFile::Database& database) const;
  bool is_as_configured(const std::string& name, const ConfigFile::Database& wanted) const;

  Result<void> start_from_options(const std::optional<HandoverState>& before);
  void set_tls();
  Result<void> start_from_config(const std::optional<HandoverState>& before);
  /// A database of the configuration, on its way to be served.
  struct Opened {
    std::string file;  ///< of a relay: its name
    ConfigFile::Database settings;
    Result<void> outcome;
    std::unique_ptr<StoredDatabase> stored;  ///< between its opening and the writer
    std::string name;                        ///< of the database, once it is the writer's
    bool served;                             ///< before already
  };
  Result<void> apply_config(const ConfigFile& config, BackupSet& backups);
  std::vector<Opened> to_open(const ConfigFile& config) const;
  void open_files(std::vector<Opened>& files);
  void add_databases(std::vector<Opened>& files);
  Result<void> note_databases(const std::vector<Opened>& files);
  DbQuery query_of(const ConfigFile& config) const;
  void reload_databases(const ConfigFile& config, control::Done done);
  void finish_reload(const ConfigFile& config, const Result<void>& databases,
                     const control::Done& done);
  Result<void> apply_remotes(const ConfigFile& config);
  std::vector<control::DatabaseStatus> database_statuses();
  void begin_demotion(const Demotion& demotion, const control::DoneWithText& done);
  void compact_due_databases();
  void look_for_divergences();
  void count_rows(std::function<void(Counts)> then);
  void apply_sync();
  void apply_peers();
  void apply_advertised_role();
  void resume(const HandoverState& before);

  // RoleHost::Port
  void follow(Task settled) override;
  void stop_following(Task done) override;
  void stop_following_but(const BackupSet& backups, Task done) override;
  void depose_active() override;
  void set_listening(bool listening) override;
  void save_state() override;

  const Options options_;
  const Directories directories_;
  net::IoShard& home_;
  std::function<void(const HandoverState&)> save_;

  SystemClock clock_;
  storage::PosixFileSystem files_;
  net::ThreadRelief relief_;
  net::IoShard background_;    // compaction
  net::IoShard replication_;   // the backup role
  net::IoShard jobs_;          // lends its thread to the writer for jobs of home
  net::IoShard files_thread_;  // opens databases and counts their rows for home
  net::IoShard reader_;        // reads clients' long messages
  net::TlsContext tls_;
  std::unique_ptr<ClientThreads> clients_;
  SyncThread sync_thread_;           // ends before the threads that it tells
  std::unique_ptr<HomeTimer> wake_;  // of the writer's next deadline
  std::unique_ptr<HomeTimer> housekeeping_;
  std::map<std::uint64_t, std::unique_ptr<HomeTimer>> later_;  // of call_later()
  std::uint64_t next_later_ = 0;
  Errands errands_;
  DatabaseServer databases_;
  const LimitCountsRef limit_counts_ = std::make_shared<LimitCounts>();
  TableLog table_log_;  // the writer's
  control::StatusBoard board_;
  std::unique_ptr<net::RemoteManager> manager_;
  std::unique_ptr<RemoteConfig> remotes_;
  BackupServices backups_;
  RelayService relays_;

  /// Callers that wait for one refresh of the board.
  struct Refresh {
    std::atomic<bool> begun = false;
    std::vector<std::function<void()>> waiting;  // home's
  };
  std::shared_ptr<Refresh> refresh_;
  Counts counted_rows_;  // of all databases, when they were counted last
  std::map<std::string, std::optional<std::size_t>> divergence_files_;  // by database, as last seen
  bool looks_for_divergences_ = false;
  std::set<std::pair<std::string, std::string>> logged_tables_;  // as table_log_ has them
  bool reloading_ = false;

  std::map<std::string, std::string>
      files_of_;  // by database: absolute, or as the configuration file has it
  std::map<std::string, ConfigFile::Database> relay_settings_;  // by database; the same
  Upstreams upstreams_;
  std::int64_t relay_probe_ms_ = 10'000;
  RoleHost role_;
  control::SyncSettings sync_;
  PeerList peers_;
  AdvertisedRole advertised_role_;
  std::int64_t started_ms_ = 0;
};

}  // namespace tandem
