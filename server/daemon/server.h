#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/backup/backup_service.h"
#include "server/config/config_file.h"
#include "server/config/remote_config.h"
#include "server/control/role_control.h"
#include "server/control/server_control.h"
#include "server/control/status_board.h"
#include "server/daemon/directories.h"
#include "server/daemon/handover.h"
#include "server/daemon/home_timer.h"
#include "server/daemon/options.h"
#include "server/database/database_server.h"
#include "server/database/table_log.h"
#include "server/net/remote_manager.h"
#include "server/session/client_hub.h"
#include "server/storage/posix_file_system.h"

namespace tandem {

/// The running server: owns threads, databases, remotes and roles, and carries out control
/// commands. Lives on the home thread, the one that calls it; Asio's loop there is `home`.
class Server final : public control::ServerControl, public control::RoleControl {
 public:
  /// `save` takes what the next server is to begin with should this one crash.
  Server(const Options& options, const Directories& directories, net::IoShard& home,
         std::function<void(const HandoverState&)> save);
  ~Server() override;

  /// Opens the databases, takes the role, listens. On failure warnings are logged, and the error is
  /// for the user. `before` is what a server that crashed left.
  Result<void> start(const std::optional<HandoverState>& before);
  /// Closes all connections and files; `done` runs on home.
  void shut_down(std::function<void()> done);

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
  std::string active_server() override { return active_server_; }
  void set_active_server(const std::string& remote, control::Done done) override;
  void connect_active(control::Done done) override;
  void disconnect_active(control::Done done) override;
  std::string sync_exclude_tables() override { return exclude_tables_; }
  void set_sync_exclude_tables(const std::string& list, control::Done done) override;
  void set_active_probe_interval(std::int64_t milliseconds) override;
  void set_relay_probe_interval(std::int64_t milliseconds) override;
  std::map<std::string, std::uint64_t> memory_usage() override;
  void set_memory_trim_on_compaction(bool enabled) override;
  control::TableLogging table_logging() override;
  void set_table_logging(const std::string& database, const std::string& table,
                         bool enabled) override;

  // control::RoleControl
  control::ServerStatus status() override;
  void refresh(std::function<void(bool fresh)> then) override;
  void promote(const Promotion& promotion, control::Done done) override;
  void demote(const Demotion& demotion, control::Done done) override;
  bool is_synced() override;
  void set_sync(const control::SyncSettings& settings) override;
  Result<void> set_sync_peers(const std::string& names) override;
  void renew_lease(std::int64_t length_ms) override;
  void disarm_lease() override;
  void call_later(std::int64_t delay_ms, std::function<void()> task) override;

 private:
  /// An I/O thread with its clients.
  struct ClientShard {
    std::unique_ptr<net::IoShard> shard;
    std::unique_ptr<ClientHub> hub;
  };

  /// Runs f on the writer and returns its value.
  template <class F>
  auto on_writer(F&& f) {
    std::optional<decltype(f())> value;
    databases_.call([&] { value.emplace(f()); }, home_);
    return std::move(*value);
  }
  void make_client_shards(unsigned threads);
  Result<std::unique_ptr<StoredDatabase>> open_database(const std::string& file);
  /// Is a database served from the file that was given under this name?
  bool serves_file(const std::string& file) const;
  Result<void> open_databases(const std::vector<std::string>& files);
  Result<void> configure_remotes(const std::vector<std::string>& remotes,
                                 const std::vector<std::string>& active_remotes);
  /// Whom a database follows, or would.
  struct Role {
    bool backup = false;
    std::string source;  ///< a remote, or several with commas; empty: none
    std::int64_t probe_ms = 10'000;
    std::set<std::string> excluded;  ///< tables
    bool operator==(const Role&) const = default;
  };
  Result<void> start_from_options(const std::optional<HandoverState>& before);
  void set_tls();
  void set_backups();
  Result<void> start_from_config(const std::optional<HandoverState>& before);
  Result<void> serve_file(const std::string& file, ConfigFile::Model model, bool backup);
  Result<void> apply_config(const ConfigFile& config);
  Result<void> apply_databases(const ConfigFile& config);
  Result<void> apply_remotes(const ConfigFile& config);
  void read_roles(const ConfigFile& config);
  void settle_roles(control::Done done);
  Result<BackupSource> backup_source() const;
  std::vector<BackupSource> sources() const;
  BackupService& service(std::size_t index);
  void stop_following(Task done);
  std::map<std::string, FollowerStatus> followers() const;
  bool is_to_be_backup(const std::string& database) const;
  std::string source_of(const std::string& database) const;
  std::string excluded_of(const std::string& database) const;
  void set_backup(bool backup);
  void become_backup(const std::string& successor, control::Done changed,
                     std::function<void()> settled);
  void drain(std::function<void()> then);
  void follow(Task settled);
  Result<void> check_promotable();
  void make_active(std::uint64_t change, Epoch above, const control::Done& done);
  void not_promoted(std::uint64_t change, const Error& error, const control::Done& done);
  void promoted(std::uint64_t change, const Result<void>& durable, const control::Done& done);
  void apply_lease();
  void deposed();
  void compact_what_is_due();
  void apply_sync();
  void apply_peers();
  void save_state();
  void resume(const HandoverState& before);

  const Options options_;
  const Directories directories_;
  net::IoShard& home_;
  std::function<void(const HandoverState&)> save_;

  SystemClock clock_;
  storage::PosixFileSystem files_;
  net::IoShard background_;   // compaction
  net::IoShard replication_;  // the backup role
  net::TlsContext tls_;
  std::vector<ClientShard> shards_;
  SyncThread sync_thread_;           // ends before the threads that it tells
  std::unique_ptr<HomeTimer> wake_;  // of the writer's next deadline
  std::unique_ptr<HomeTimer> housekeeping_;
  std::unique_ptr<HomeTimer> lease_timer_;
  std::map<std::uint64_t, std::unique_ptr<HomeTimer>> later_;  // of call_later()
  std::uint64_t next_later_ = 0;
  DatabaseServer databases_;
  const LimitCountsRef limit_counts_ = std::make_shared<LimitCounts>();
  TableLog table_log_;  // the writer's
  control::StatusBoard board_;
  std::unique_ptr<net::RemoteManager> manager_;
  std::unique_ptr<RemoteConfig> remotes_;
  std::vector<std::unique_ptr<BackupService>> services_;  // one for each source

  std::map<std::string, std::string>
      files_of_;                       // by database: absolute, or as the configuration file has it
  std::map<std::string, Role> roles_;  // by database; with a configuration file only
  struct Drain {
    std::int64_t start_ms;
    std::string successor;  ///< the backup that is to be active, by its host; empty: not known
  };
  std::optional<Drain> drain_;  // while backups get what they lack before a demotion
  Epoch least_epoch_{};         ///< of a server to be followed
  std::string active_server_;
  std::string exclude_tables_;
  std::int64_t probe_ms_ = 10'000;
  bool backup_ = false;
  std::atomic<std::uint64_t> role_changes_ = 0;  // a later one overtakes those under way
  control::RoleLease lease_;
  bool lease_expired_ = false;  // and the role-bound remotes are closed for it
  control::SyncSettings sync_;
  PeerList peers_;
  std::int64_t started_ms_ = 0;
};

}  // namespace tandem
