#pragma once

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "server/session/client_hub.h"
#include "server/session/methods.h"
#include "server/session/request_window.h"
#include "server/session/session_conversions.h"
#include "server/session/session_facts.h"
#include "server/session/session_feeds.h"
#include "server/session/session_locks.h"
#include "server/session/session_monitors.h"
#include "server/session/transact_answer.h"

namespace tandem {

struct SessionTransactCall;

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

  /// All that a client may say.
  static std::span<const Method> methods();
  /// Does the connection have this authority now?
  bool may(Authority authority) const {
    return has_authority(port_.info(), authority, hub_.peers());
  }

  void on_message(JsonRpcMessage message) override;
  void on_writable() override;
  bool on_end_of_input() override;
  void on_alive() override;
  void on_closed(const std::string& reason) override;

  /// A database came, went, was converted or changed role: closes the connection unless the client
  /// is aware of such changes.
  void on_databases_changed();
  /// The server has become active or a backup.
  void on_role_change();
  /// The list of peers is another one: who is none any more is told nothing from now on.
  void on_peers_changed();
  /// Ends the connection once the requests under way are answered. Those that wait are not.
  void close(const std::string& reason);
  SessionFacts facts() const;
  SessionConversions& conversions() { return conversions_; }
  SessionFeeds& feeds() { return feeds_; }
  SessionLocks& locks() { return locks_; }
  SessionMonitors& monitors() { return monitors_; }

  /// A request about monitors, or a conversion, has taken effect: those behind it follow.
  void go_on();
  /// Runs `then(session, read())`. A long message is read by a thread of its own, and those behind
  /// it wait meanwhile: `read` may use nothing of the session, which may be gone before `then`.
  template <class Read, class Then>
  void read(std::size_t message_bytes, Read&& read, Then&& then) {
    if (!is_long(message_bytes)) return then(*this, read());
    read_elsewhere_ = true;
    set_reading();
    hub_.reader().post([hub = &hub_, id = id_, read = std::forward<Read>(read),
                        then = std::forward<Then>(then)]() mutable {
      hub->shard().post([hub, id, what = read(), then = std::move(then)]() mutable {
        Session* self = hub->find(id);
        if (self == nullptr) return hub->reader().post([what = std::move(what)] {});
        self->read_elsewhere_ = false;
        self->in_turn([&] { then(*self, std::move(what)); });
        self->go_on();
      });
    });
  }

  // Answers that the session gives by itself, while it reads a request, come behind those to the
  // requests before it, which are with the writer.

  /// Sends the updates that wait for room on the socket: a transaction's come before its reply.
  void send_updates();
  void send_reply(const JsonId& id, std::string_view result_json);
  void send_error(const JsonId& id, const Error& error);
  /// The database that params[0] names; null after an error reply.
  DatabaseInfoRef database_of(const JsonRpcMessage& message);
  /// The client asks for more than it may have: tells it, and counts it.
  void send_limit_error(const JsonId& id, Limit limit);
  /// May ids and names take so many bytes more? False after an error reply.
  bool may_keep(const JsonId& request_id, std::size_t bytes);
  /// The client has not taken what is there.
  bool is_behind() const { return port_.is_behind(); }
  /// A backup's transaction is answered.
  void end_forwarded() { --forwarded_; }
  /// Tells a peer how high the database stood when its transaction was executed.
  void tell_height(const JsonId& id, const Height& height);
  /// Passes on what another server has answered.
  void send_forwarded(const JsonId& id, const TransactCall::Reply& reply);
  /// Ends the connection at once: the client is to know that nobody knows what became of what it
  /// asked for.
  void lose(const std::string& reason);
  /// `later`: nothing of it is made before the client has taken what is there.
  void send_answer(TransactAnswer answer, bool later);
  struct Asks {
    bool selects = false;     ///< rows may be in the answer
    bool only_reads = false;  ///< DatabaseServer::submit()
  };
  /// Hands a request to the writer: it is under way until end_request(), which
  /// ClientHub::find_answered() calls.
  template <class Job>
  void submit_request(Job&& job, Asks asks) {
    known_to_writer_ = true;
    begin_request(asks.selects);
    hub_.server().submit(std::forward<Job>(job), lane_, asks.only_reads);
  }
  template <class Job>
  void submit_request(Job&& job) {
    submit_request(std::forward<Job>(job), Asks{});
  }
  /// The same for what the client does not wait for.
  template <class Job>
  void submit_notice(Job&& job) {
    submit_request([hub = &hub_, id = id_, job = std::forward<Job>(job)]() mutable {
      job();
      hub->server().reply(hub->mailbox(), [hub, id] { hub->find_answered(id); });
    });
  }
  /// A request is answered, or is about to be; one that selects: by so many rows.
  void end_request(std::optional<std::size_t> rows);
  /// An error that is a plain string on the wire.
  void send_plain_error(const JsonId& id, std::string_view error);

 private:
  void handle(JsonRpcMessage& message);
  /// Runs `part`, which reads a request.
  template <class Part>
  void in_turn(Part&& part) {
    const bool before = std::exchange(reads_request_, true);
    part();
    reads_request_ = before;
  }
  /// Sends a text or source to the connection, in the order of the requests.
  template <class What>
  void answer(What what) {
    if (!reads_request_ || window_.is_idle()) return port_.send(std::move(what));
    submit_request([hub = &hub_, id = id_, what = std::move(what)]() mutable {
      hub->server().reply(hub->mailbox(), [hub, id, what = std::move(what)]() mutable {
        if (Session* self = hub->find_answered(id)) self->port_.send(std::move(what));
      });
    });
  }
  static const Method* find_method(const JsonRpcMessage& message);

  void refuse_answer(JsonRpcMessage::Kind kind);
  void refuse_convert(JsonRpcMessage& message) { conversions_.refuse(std::move(message)); }
  void refuse_lock(JsonRpcMessage& message) { locks_.refuse(message); }
  void refuse_peer(JsonRpcMessage& message);

  void cancel(JsonRpcMessage& message);
  void convert(JsonRpcMessage& message) { conversions_.convert(std::move(message)); }
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
  void tandem_depose(JsonRpcMessage& message);
  void tandem_follow(JsonRpcMessage& message);
  void tandem_path(JsonRpcMessage& message);
  void tandem_transact(JsonRpcMessage& message);
  void transact(JsonRpcMessage& message);

  /// Who is held to the rules for a role, and where their transaction stands in a message.
  struct OnBehalf {
    std::string role;
    std::string client_id;
    JsonView params;
    bool asks_height = false;
  };
  void transact(JsonRpcMessage& message, const DatabaseInfoRef& database, OnBehalf client);
  void submit(std::unique_ptr<SessionTransactCall> call);
  void start_monitor(JsonRpcMessage& message, MonitorVersion version);
  bool is_long(std::size_t message_bytes) const {
    return message_bytes > hub_.limits().bytes_read_at_once;
  }
  /// The client's next messages wait: for one that is being read, a request about monitors, or a
  /// conversion.
  bool is_busy() const { return read_elsewhere_ || monitors_.is_busy() || conversions_.is_busy(); }
  /// Will the client get further answers although it says nothing more?
  bool owes_answers() const { return is_busy() || !waiting_.empty() || !window_.is_idle(); }
  void begin_request(bool selects);
  /// Tells the connection whether there is room for another request, and when the last is answered.
  void set_reading();

  ClientHub& hub_;
  ConnectionPort& port_;
  const SessionId id_;
  bool change_aware_ = false;
  bool known_to_writer_ = false;
  std::uint64_t requests_ = 0;  ///< that have come
  const LaneRef lane_;
  /// So many transactions of a backup's clients may be under way or wait: their bounds are the
  /// backup's, and its acknowledgements, for which they may wait, are read meanwhile.
  static constexpr std::size_t kMostForwarded = 10'000;

  RequestWindow window_;
  std::size_t forwarded_ = 0;
  LimitsMet limits_met_;
  SessionConversions conversions_;
  SessionFeeds feeds_;
  SessionLocks locks_;
  SessionMonitors monitors_;
  /// Behind a request about monitors or a conversion that has not taken effect, or a message that
  /// is being read.
  std::list<JsonRpcMessage> waiting_;
  bool read_elsewhere_ = false;  ///< a message is being read, by another thread
  bool reads_ = true;            ///< the connection was last told to read
  bool reads_request_ = false;   ///< what is sent now answers a request that has just come
  bool input_ended_ = false;     ///< the client says nothing more
};

}  // namespace tandem
