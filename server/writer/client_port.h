#pragma once

// How clients' threads and the writer talk: calls that travel to the writer and back as one heap
// object, and what the writer tells every client thread by itself. Nothing here knows JSON-RPC or
// sockets.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/json/json_id.h"
#include "protocol/operation.h"
#include "server/database/commit.h"
#include "server/database/snapshot.h"
#include "server/writer/directory.h"
#include "server/writer/lock_table.h"
#include "server/writer/mailbox.h"

namespace tandem {

/// Told on one client thread, in the order of publication, what all its sessions may have to hear.
class ClientThread {
 public:
  virtual ~ClientThread() = default;
  virtual void on_commit(const DatabaseInfoRef& database, const CommitRef& commit) = 0;
  /// A database came, went or was converted: sessions that are not change-aware are to be closed,
  /// monitors of databases that went are canceled.
  virtual void on_directory(const DirectoryRef& directory) = 0;
  /// The server's role or its right to write changed: sessions that are not change-aware are to be
  /// closed.
  virtual void on_role_change() = 0;
};

/// What the transactions of one session that are in a "wait" may come to.
struct WaitLimits {
  std::size_t number = 1000;
  std::size_t bytes = std::size_t{16} << 20;  ///< of their requests
};

/// One "transact" on its way. The session makes it, the writer fills it in, done() runs on the
/// mailbox's thread. A canceled transaction, or one whose database went away meanwhile, has
/// `canceled` set (RFC 7047 section 4.1.4).
struct TransactCall {
  virtual ~TransactCall() = default;
  virtual void done() = 0;
  /// It waits: what its session is told, on the mailbox's thread. On the writer.
  virtual Task blocked() { return {}; }

  SessionId session{};
  Mailbox* mailbox = nullptr;
  std::string database;
  JsonId id;  ///< the request's, by which "cancel" finds it
  /// So that it can be read anew under a newer schema. It waits without them: a conversion cancels
  /// it.
  JsonDocument request;
  JsonView params;  ///< in `request`
  Transaction transaction;
  bool only_reads = false;  ///< nothing but selects
  bool read_only = false;   ///< the connection is
  std::string role;         ///< RBAC
  std::string client_id;
  bool asks_height = false;  ///< see `height`
  bool unbounded = false;    ///< the session's limit of waits is not for it

  TransactResult result;
  /// What the server said that executed it in the place of this one: JSON of a result or an error.
  struct Reply {
    bool is_error = false;  ///< of JSON-RPC
    bool failed = false;    ///< nothing was done
    std::string json;
  };
  std::optional<Reply> forwarded;
  /// How high the database stood where it was executed, once it was.
  std::optional<Height> height;
  std::string lost;  ///< it was forwarded, and nobody knows what became of it: why
  bool canceled = false;
  std::optional<Error> refused;  ///< instead of a result, e.g. "unknown database"
  /// The limit of its session for which it may not wait; null: it may.
  std::size_t WaitLimits::*beyond = nullptr;

  std::int64_t received_us = 0;     ///< monotonic
  std::size_t wait_bytes = 0;       ///< of id and params, once it waits; the writer's
  std::int64_t first_tried_ms = 0;  ///< monotonic; the writer's
  std::optional<std::int64_t>
      deadline_ms;  ///< of the "wait" that it is blocked in; monotonic; the writer's
};

/// Where a monitor starts.
struct MonitorStart {
  DatabaseInfoRef database;
  Snapshot snapshot;
  Uuid last_id;  ///< of the newest commit in the snapshot
  /// monitor_cond_since: the commits after the id that was asked for, if that is known: found.
  std::optional<std::vector<CommitRef>> since;
};

/// A monitor that is to start.
struct NewMonitor {
  std::string database;
  SessionId session;
  std::optional<Uuid> since;
  Mailbox* mailbox;
  /// Runs on the mailbox's thread.
  std::function<void(Result<MonitorStart>)> started;
  std::int64_t let_in_ms = 0;  ///< the writer's: when it has waited long enough
};

/// Where a backup's feed starts.
struct FeedStart {
  DatabaseInfoRef database;
  Position position;    ///< of the newest record
  Uuid id;              ///< of the newest commit
  bool backup = false;  ///< this server is a backup, too
  Snapshot snapshot;
  /// The commits after the backup's position, if that is known: it resumes.
  std::optional<std::vector<CommitRef>> since;
  // Otherwise, if it has asked for rows:
  std::vector<Position> epochs;  ///< the three are those of the database's Standing
  std::optional<Uuid> origin;
  std::int64_t opened_ms = 0;
  Position oldest;                 ///< of the history
  std::optional<Position> common;  ///< the newest of the backup's recent ones that is in it
};

}  // namespace tandem
