#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "protocol/jsonrpc.h"
#include "server/session/client_hub.h"

namespace tandem {

class Session;

/// "lock", "steal" and "unlock" of one session (RFC 7047 section 4.1.8). Owned by the session, on
/// its shard's thread.
///
/// What becomes of its locks is others' doing, as often as they like: a client that is behind is
/// told of each lock no more than the first and the last of it.
class SessionLocks {
 public:
  SessionLocks(ClientHub& hub, Session& session, ConnectionPort& port)
      : hub_(hub), session_(session), port_(port) {}

  /// The writer must be told of the session's end.
  void acquire(const JsonRpcMessage& message, LockTable::Mode mode);
  void release(const JsonRpcMessage& message);
  /// Answers any of the three on a read-only connection.
  void refuse(const JsonRpcMessage& message);
  /// The client has to do with locks.
  bool asked() const { return asked_; }
  /// Of the names of locks that it has asked for and not given back.
  std::size_t name_bytes() const { return name_bytes_; }
  void tell(SessionFacts& facts) const;
  /// The socket has taken what was queued: what the client was not told follows.
  void on_writable();

 private:
  /// Notices of one lock that were held back.
  struct Untold {
    bool first_stolen;
    bool last_stolen;
  };
  /// The lock that params names; nothing after an error reply.
  std::optional<std::string> name_of(const JsonRpcMessage& message);
  void give_back(const std::string& name);
  void set_held(const std::string& name, bool held);
  void on_notice(const std::string& name, bool stolen);
  /// Of a lock, before an answer that concerns it.
  void tell(const std::string& name);
  void send_notice(const std::string& name, bool stolen);
  // On the writer.
  static void open_on_writer(ClientHub& hub, SessionId session);
  static void refuse_as_backup(ClientHub& hub, SessionId session, const JsonId& id,
                               const std::string& name);

  ClientHub& hub_;
  Session& session_;
  ConnectionPort& port_;
  bool asked_ = false;
  /// Locks that it has asked for and not given back, by name: does it hold them?
  std::map<std::string, bool> held_;
  std::size_t name_bytes_ = 0;  ///< of these
  std::map<std::string, Untold> untold_;
};

}  // namespace tandem
