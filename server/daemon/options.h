#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/error.h"
#include "server/net/remote_options.h"
#include "server/posix/directories.h"
#include "server/session/authority.h"
#include "server/session/session_limits.h"
#include "server/storage/compaction_policy.h"
#include "server/writer/server_row.h"

namespace tandem {

/// How to become a daemon: ovsdb-server(1), Daemon Options.
struct DaemonOptions {
  bool detach = false;
  bool monitor = false;
  bool chdir = true;
  std::optional<std::string> pidfile;  ///< absolute
  bool overwrite_pidfile = false;
  std::optional<std::string> user;  ///< USER, USER:GROUP, or :GROUP
};

/// ovsdb-server(1), Logging Options.
struct LogOptions {
  std::vector<std::string> specs;   ///< arguments of -v, in order; a bare -v is empty
  std::optional<std::string> file;  ///< absolute
  std::optional<std::string> syslog_method;
  std::optional<std::string> syslog_target;
};

/// ovsdb-server(1), Public Key Infrastructure Options. Each is a file name or "db:DB,TABLE,COLUMN".
struct TlsOptions {
  std::optional<std::string> private_key;
  std::optional<std::string> certificate;
  std::optional<std::string> ca_cert;
  bool bootstrap_ca_cert = false;  ///< fetch ca_cert from the first peer if it does not exist
  std::optional<std::string> peer_ca_cert;
  std::optional<std::string> protocols;
  std::optional<std::string> ciphers;
  std::optional<std::string> ciphersuites;
  std::string server_name;  ///< not in a database
};

/// What a commit does when too few backups acknowledge it in time.
enum class SyncFallback : std::uint8_t {
  kAsync,  ///< go on without them, and show it
  kBlock,  ///< wait for them
};

/// ovsdb-server(1), Active-Backup Options, and Tandem's own.
struct SyncOptions {
  std::optional<std::string> from;
  std::string exclude_tables;  ///< "DB:TABLE,..."
  bool active = false;
  unsigned replicas = 0;  ///< acknowledgements that a commit waits for
  unsigned timeout_ms = 1000;
  SyncFallback fallback = SyncFallback::kAsync;
  PeerList peers;               ///< the clients that may be backups
  std::string node_name;        ///< of this server's node, as its cluster manager has it
  bool schema = false;          ///< adopt the active's schema when it has more
  bool forward_writes = false;  ///< a backup has the active execute what clients write
  AdvertisedRole advertised_role = AdvertisedRole::kNone;
};

/// The command line, read and checked as far as it can be without touching anything. Plain data.
struct Options {
  enum class Action : std::uint8_t { kServe, kHelp, kVersion };
  Action action = Action::kServe;

  std::vector<std::string> databases;      ///< files as given, or "relay:SCHEMA:REMOTE"
  std::optional<std::string> config_file;  ///< absolute
  std::vector<std::string> remotes;
  std::vector<std::string> active_remotes;  ///< served only while this server is the active one
  std::optional<std::string> run_command;
  std::optional<std::string> unixctl;  ///< absolute, or "none"; nothing: the default name
  bool file_column_diff = true;

  DaemonOptions daemon;
  LogOptions log;
  TlsOptions tls;
  SyncOptions sync;

  storage::CompactionPolicy compaction;
  SessionLimits limits;
  net::RemoteDefaults remote_defaults;

  unsigned threads = 0;  ///< I/O threads; 0: as many as there are cores beside the writer's
  std::optional<std::uint64_t> history_bytes;           ///< nothing: by the number of rows
  std::optional<boost::asio::ip::tcp::endpoint> http;   ///< of the status pages
  std::optional<boost::asio::ip::tcp::endpoint> https;  ///< the same, over TLS
};

/// Reads a command line as getopt_long(3) would: options anywhere, "--opt VALUE" or "--opt=VALUE",
/// unambiguous prefixes. Tandem's own options never make a prefix ambiguous that ovsdb-server
/// accepts. `arguments` is without the program's name. Errors are for "ovsdb-server: TEXT".
Result<Options> parse_options(const std::vector<std::string>& arguments,
                              const Directories& directories);

/// What --help prints.
std::string usage(const Directories& directories);

}  // namespace tandem
