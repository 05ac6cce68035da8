#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/jsonrpc.h"
#include "protocol/text_source.h"
#include "server/base/task.h"

/// The boundary between a JSON-RPC session and the connection that carries it. Neither side sees a
/// socket here, so sessions are tested without one. Everything runs on the thread of the shard that
/// owns the connection, except Shard::post().
namespace tandem {

/// An I/O thread: a TaskRunner (server/base/task.h: post(Task), is_current()) with a number.
/// Outlives every connection, and the database's writer. Tasks posted after it has stopped are
/// dropped, unrun.
class Shard : public TaskRunner {
 public:
  /// 0, 1, ...: for tables with a slot per shard.
  virtual unsigned index() const = 0;
};

/// Who is at the other end, and what the remote it came through allows.
struct ConnectionInfo {
  std::string name;     ///< for logs: "tcp:127.0.0.1:41234", "unix#7"
  std::string remote;   ///< the target of the remote, as configured
  std::string peer_id;  ///< common name of the client's certificate; empty without one
  std::string role;     ///< for RBAC; empty: none
  bool read_only = false;
};

/// One JSON-RPC connection, seen from the session above it. Valid until
/// ConnectionHandler::on_closed() returns.
class ConnectionPort {
 public:
  virtual ~ConnectionPort() = default;
  /// Queues whole messages; one message may be sent in pieces if all are sent in the same callback
  /// or posted task. Never blocks, never calls back. What is queued during one callback or task
  /// leaves in one gather write after it. Dropped after close().
  virtual void send(SharedText text) = 0;
  void send(std::string text) { send(shared_text(std::move(text))); }
  /// The same for a message that is made as it leaves; the queue is over the high mark until it
  /// has.
  virtual void send(std::unique_ptr<TextSource> source) {
    while (SharedText text = source->next()) send(std::move(text));
  }
  /// Bytes that the peer's socket has not taken yet.
  virtual std::size_t queued_bytes() const = 0;
  /// The peer's socket was full when it was last written to, or a message is being made piece by
  /// piece: on_writable() follows when it has taken all.
  virtual bool is_behind() const = 0;
  /// Stops or resumes the reading of messages, e.g. while too many requests are under way. After
  /// stop no message arrives before resume. (While the queue is over the high mark the connection
  /// does not read either.)
  virtual void set_reading(bool enabled) = 0;
  /// Sends what is queued as far as the socket takes it at once, and closes. on_closed(reason)
  /// follows as a task of its own; no other callback does. The reason is logged, empty ones are
  /// not.
  virtual void close(std::string reason) = 0;
  /// Reads nothing more, as if the peer said nothing more: close_when_sent() follows when it has
  /// been answered, and the connection then ends for this reason, which is logged.
  virtual void end_input(std::string reason) = 0;
  /// Closes as soon as the peer has taken all that is queued; after end_input() or
  /// ConnectionHandler::on_end_of_input(). A peer that takes nothing for 5 s is closed before.
  virtual void close_when_sent() = 0;
  /// Asks the peer at once whether it is there: ConnectionHandler::on_alive() follows its answer.
  /// While a question is open no further one is sent.
  virtual void challenge() {}
  /// `role` and `read_only` change in place when the remote is reconfigured; the rest is constant.
  virtual const ConnectionInfo& info() const = 0;
  virtual Shard& shard() = 0;
};

/// What lives above a connection; the connection owns it and destroys it after on_closed().
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  /// A valid message. "echo" requests and replies to inactivity probes do not come here: the
  /// connection answers and takes them itself.
  virtual void on_message(JsonRpcMessage message) = 0;
  /// The peer was behind, and has caught up; or the queue was over ConnectionLimits' high mark, and
  /// fell to the low mark.
  virtual void on_writable() = 0;
  /// The peer says nothing more, or nothing that can be understood, but may still listen: true if
  /// the handler calls ConnectionPort::close_when_sent() once it has answered what it was asked.
  /// Otherwise the connection ends here.
  virtual bool on_end_of_input() { return false; }
  /// The peer has answered a ConnectionPort::challenge().
  virtual void on_alive() {}
  /// The last call, once. The port must not be used after it.
  virtual void on_closed(const std::string& reason) = 0;
};

/// Makes what lives above a new connection; on the connection's shard. Null: the connection is
/// closed.
using HandlerFactory = std::function<std::unique_ptr<ConnectionHandler>(ConnectionPort&)>;

}  // namespace tandem
