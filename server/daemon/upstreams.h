#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "protocol/target.h"
#include "replication/role/backup_set.h"
#include "server/backup/backup_service.h"
#include "server/config/config_file.h"
#include "server/daemon/handover.h"
#include "server/daemon/options.h"

namespace tandem {

/// Knows which server each database follows while it is a backup, or would follow: one for all,
/// named by an option or a command, or one a database, named by the configuration file. A value of
/// home's.
class Upstreams {
 public:
  /// Sockets whose paths are not absolute are in `run_folder`.
  Upstreams(const Options& options, std::string run_folder);

  /// Takes over what commands of the last server had set.
  void resume(const HandoverState& before);
  void save_to(HandoverState& state) const;

  /// Remotes with commas; empty: none. With a configuration file that of its first database.
  const std::string& active_server() const { return active_server_; }
  /// An error, and nothing changes, if they are no remotes.
  Result<void> set_active_server(const std::string& remotes);
  /// May the active server be followed as it is named, and are the excluded tables lists of such?
  Result<void> check() const;
  /// "DB:TABLE,DB:TABLE" as in ovsdb-server(1), --sync-exclude-tables.
  const std::string& excluded_tables() const { return excluded_tables_; }
  /// An error, and nothing changes, if it is no such list.
  Result<void> set_excluded_tables(const std::string& list);
  void set_probe_ms(std::int64_t milliseconds) { probe_ms_ = milliseconds; }
  /// No active server of an older one is followed from now on.
  void set_least_epoch(Epoch epoch) { least_epoch_ = epoch; }
  /// The name of this server's node, which the servers that are followed are told.
  const std::string& node_name() const { return node_name_; }
  /// False: that is its name already.
  bool set_node_name(const std::string& name) { return std::exchange(node_name_, name) != name; }

  /// A database's server in the configuration file.
  struct Upstream {
    std::string source;  ///< empty: none
    std::int64_t probe_ms = 10'000;
    std::set<std::string> excluded;  ///< tables
    bool operator==(const Upstream&) const = default;
  };
  /// Takes those of the configuration; `files` has the served databases, each with its name there.
  /// Where check_source() has an error the former one stays. Returns which of them are to be
  /// backups.
  BackupSet configure(const ConfigFile& config, const std::map<std::string, std::string>& files);
  /// The error is what is wrong with the source that a configuration gives a database. One that
  /// listens is right, as the stock server has it, and nobody connects to it.
  static Result<void> check_source(const std::string& source);
  /// By database; empty without a configuration file.
  const std::map<std::string, Upstream>& configured() const { return configured_; }

  /// The databases that are backups when this server is one.
  BackupSet followers() const;
  /// The connections by which these databases follow; those that follow the same server share one.
  /// Requires check().
  std::vector<BackupSource> sources(const BackupSet& backups) const;
  /// The server that a database follows, or would; empty: none.
  std::string source_of(const std::string& database) const;
  /// The tables that it leaves out, as in excluded_tables().
  std::string excluded_of(const std::string& database) const;

  Target in_run_folder(Target target) const;

 private:
  BackupSource settings() const;
  Result<BackupSource> source_of_all() const;

  const std::string run_folder_;
  const bool has_file_;
  const bool adopt_schemas_;
  const bool forward_writes_;
  const std::size_t most_message_bytes_;
  std::string active_server_;
  std::string excluded_tables_;
  std::int64_t probe_ms_ = 10'000;
  Epoch least_epoch_{};
  std::string node_name_;
  std::map<std::string, Upstream> configured_;
};

}  // namespace tandem
