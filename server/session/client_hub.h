#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "server/session/authority.h"
#include "server/session/connection_port.h"
#include "server/session/monitor_hub.h"
#include "server/session/session_facts.h"
#include "server/session/session_limits.h"
#include "server/writer/database_server.h"

namespace tandem {

class Session;

/// All clients of one I/O thread, and what they share: the mailbox from the writer, the directory
/// of databases as last published, the monitors. Everything runs on the shard's thread. Outlives
/// the shard's connections and the writer's last batch.
class ClientHub final : public ClientThread {
 public:
  /// `reader` reads long messages; it ends before the shard. `deposed` runs on the writer when a
  /// backup says that another server is being made active.
  ClientHub(DatabaseServer& server, Shard& shard, TaskRunner& reader,
            std::function<void()> deposed = {}, const SessionLimits& limits = {},
            LimitCountsRef counts = std::make_shared<LimitCounts>());
  ~ClientHub() override;

  /// A HandlerFactory for this shard's connections.
  std::unique_ptr<ConnectionHandler> make_session(ConnectionPort& port);

  void on_commit(const DatabaseInfoRef& database, const CommitRef& commit) override;
  void on_directory(const DirectoryRef& directory) override;
  void on_role_change() override;

  DatabaseServer& server() { return server_; }
  Shard& shard() { return shard_; }
  TaskRunner& reader() { return reader_; }
  Mailbox& mailbox() { return mailbox_; }
  MonitorHub& monitors() { return monitors_; }
  const Directory& directory() const { return *directory_; }

  /// Null when the session is gone.
  Session* find(SessionId id) const;
  /// The same when a request of the session is answered; one that selects: by so many rows.
  Session* find_answered(SessionId id, std::optional<std::size_t> rows = {}) const;
  /// The schema's text, made once a database.
  SharedText schema_text(const DatabaseInfoRef& database);

  /// Every session asks for monitor_cond's unknown method from now on
  /// (ovsdb-server/disable-monitor-cond).
  void disable_conditional_monitors();
  bool conditional_monitors() const { return conditional_monitors_; }
  /// Sets the clients that may be backups from now on.
  void set_peers(const PeerList& peers);
  const PeerList& peers() const { return peers_; }
  /// Any thread.
  void depose() const {
    if (deposed_) deposed_();
  }

  const SessionLimits& limits() const { return limits_; }
  LimitCounts& limit_counts() { return *counts_; }

  /// Any thread may ask.
  struct Usage {
    std::size_t sessions = 0;
    std::size_t monitors = 0;
  };
  Usage usage() const;
  std::vector<SessionFacts> sessions() const;

 private:
  friend class Session;
  void forget(SessionId id);

  DatabaseServer& server_;
  Shard& shard_;
  TaskRunner& reader_;
  Mailbox mailbox_;
  MonitorHub monitors_;
  DirectoryRef directory_;
  std::unordered_map<SessionId, Session*> sessions_;
  std::atomic<std::size_t> open_sessions_ = 0;        // how many these are
  std::map<std::uint64_t, SharedText> schema_texts_;  // by generation
  bool conditional_monitors_ = true;
  PeerList peers_;
  const std::function<void()> deposed_;
  const SessionLimits limits_;
  const LimitCountsRef counts_;
};

}  // namespace tandem
