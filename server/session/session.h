#pragma once

#include <string>
#include <string_view>

#include "server/session/client_hub.h"
#include "server/session/session_feeds.h"
#include "server/session/session_monitors.h"

namespace tandem {

/// "syntax error" with the message's params as its syntax.
Error params_error(const JsonRpcMessage& message, std::string details);

/// One client's conversation: the methods of RFC 7047 section 4.1 and ovsdb-server(7), and those of
/// Tandem's own backups (replication/stream.h). On its
/// shard's thread; owned by its connection. What needs the databases travels to the writer and
/// comes back through the hub's mailbox, by session id.
class Session final : public ConnectionHandler {
 public:
  Session(ClientHub& hub, ConnectionPort& port, SessionId id);
  ~Session() override;

  SessionId id() const { return id_; }

  void on_message(JsonRpcMessage message) override;
  void on_writable() override;
  void on_closed(const std::string& reason) override;

  /// A database came, went, was converted or changed role: closes the connection unless the client
  /// is aware of such changes.
  void on_databases_changed();
  /// The server has become active or a backup.
  void on_role_change();
  void close(const std::string& reason) { port_.close(reason); }
  SessionFeeds& feeds() { return feeds_; }
  SessionMonitors& monitors() { return monitors_; }

  /// Sends the updates that wait for room on the socket: a transaction's come before its reply.
  void send_updates();
  void send_reply(const json::value& id, std::string_view result_json);
  void send_error(const json::value& id, const Error& error);
  /// The outcome of a "convert" of this session is here.
  void finish_conversion(const json::value& id, const Result<void>& converted);
  /// An error that is a plain string on the wire.
  void send_plain_error(const json::value& id, std::string_view error);

 private:
  using Method = void (Session::*)(JsonRpcMessage&);
  static Method find_method(std::string_view name);

  void refuse_answer(JsonRpcMessage::Kind kind);
  void cancel(const JsonRpcMessage& message);
  void convert(JsonRpcMessage& message);
  void get_schema(JsonRpcMessage& message);
  void get_server_id(JsonRpcMessage& message);
  void list_dbs(JsonRpcMessage& message);
  void lock(JsonRpcMessage& message);
  void steal(JsonRpcMessage& message);
  void unlock(JsonRpcMessage& message);
  void monitor(JsonRpcMessage& message);
  void monitor_cond(JsonRpcMessage& message);
  void monitor_cond_since(JsonRpcMessage& message);
  void monitor_cond_change(JsonRpcMessage& message);
  void monitor_cancel(JsonRpcMessage& message);
  void set_db_change_aware(JsonRpcMessage& message);
  void tandem_ack(JsonRpcMessage& message);
  void tandem_follow(JsonRpcMessage& message);
  void transact(JsonRpcMessage& message);

  /// The database that params[0] names; null after an error reply.
  DatabaseInfoRef database_of(const JsonRpcMessage& message);
  void start_monitor(const JsonRpcMessage& message, MonitorVersion version);
  static void refuse_lock(ClientHub& hub, SessionId session, const json::value& id);
  void acquire_lock(JsonRpcMessage& message, LockTable::Mode mode);
  /// The lock that params names; nothing after an error reply.
  const std::string* lock_name(const JsonRpcMessage& message);
  void open_on_writer();
  /// Disconnects this client, which is not aware of changes of databases.
  void close_unaware();
  void submit(Task job) { hub_.server().submit(std::move(job), hub_.shard()); }

  ClientHub& hub_;
  ConnectionPort& port_;
  const SessionId id_;
  bool change_aware_ = false;
  bool asked_for_lock_ = false;
  unsigned conversions_ = 0;  ///< "convert" requests under way
  bool closes_after_conversions_ = false;
  bool known_to_writer_ = false;
  SessionFeeds feeds_;
  SessionMonitors monitors_;
};

}  // namespace tandem
