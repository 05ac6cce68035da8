#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocol/jsonrpc.h"
#include "server/writer/client_port.h"

namespace tandem {

/// The connection to the server that executes transactions, and the way back to their clients.
class ForwardsPort {
 public:
  virtual ~ForwardsPort() = default;
  virtual void send(std::string text) = 0;
  /// The connection takes more; else Forwards::on_writable() follows.
  virtual bool has_room() const = 0;
  /// Gives a transaction back, with its answer, behind the commits that came before the answer.
  virtual void answer(std::unique_ptr<TransactCall> call) = 0;
  /// Gives one back that was not sent and will not be: DatabaseServer::take_back().
  virtual void take_back(std::unique_ptr<TransactCall> call) = 0;
};

/// The transactions of one database on their way to the server that executes them. Nobody knows
/// what has become of those that were sent when that server is lost. Sans-IO; one thread.
class Forwards {
 public:
  /// The kind of copy that forwards.
  enum class Copy : std::uint8_t {
    /// Its source sends what a transaction has changed before the answer. What comes while there is
    /// no source waits for the next one.
    kRelay,
    /// The active's records come in their own time: the active says how high the database stood
    /// when it executed a transaction, and the answer waits until the copy is as high. What comes
    /// while no active is known is given back, as is what the active does not take.
    kBackup,
  };
  /// Requests have ids that begin with `id_prefix`, and at most so many bytes: the server would end
  /// the connection for more.
  Forwards(std::string database, Copy copy, std::string id_prefix, std::size_t most_bytes,
           ForwardsPort& port);

  void forward(std::unique_ptr<TransactCall> call);
  void cancel(SessionId session, const JsonId& id);
  /// The session is gone.
  void drop(SessionId session);

  /// The server takes them, and what it has is here.
  void open();
  /// No further ones are sent.
  void pause();
  /// The connection has room again.
  void on_writable() { send_waiting(); }
  /// A backup's records do not come any more, by a connection that stays.
  void lose_records(const std::string& reason);
  /// It is lost.
  void close(const std::string& reason);
  /// The database goes away here, or is no copy any more.
  void end(const std::string& reason);
  /// False: the answer is to something else.
  bool on_answer(const JsonRpcMessage& answer);
  /// "tandem_executed" [ID, "EPOCH:INDEX"], which comes before the answer. False: it is something
  /// else, or of another one's transaction.
  bool on_notification(const JsonRpcMessage& message);
  /// The copy has all records up to this one, or has been handed them.
  void on_handed_on(const Height& height);
  /// Some times a second. Answers whose records have long been due are given up.
  void tick(std::int64_t now_ms);

 private:
  void send(std::unique_ptr<TransactCall> call);
  void send_waiting();
  void take_back_waiting();
  void send_cancel(const JsonId& id);
  /// Of all that wait for their records.
  void give_up_answered(const std::string& reason);
  void give_up(std::unique_ptr<TransactCall> call, const std::string& reason);
  /// It has not been sent, and never will be.
  void refuse(std::unique_ptr<TransactCall> call);

  const std::string database_;
  const Copy copy_;
  const std::string id_prefix_;
  const std::size_t most_bytes_;
  ForwardsPort& port_;
  bool open_ = false;
  bool ended_ = false;
  std::string records_lost_;  // why; empty: they come
  std::uint64_t next_id_ = 0;
  Height handed_on_;
  std::optional<std::int64_t> due_ms_;  // since when answers wait, and no record has come
  std::deque<std::unique_ptr<TransactCall>> waiting_;
  std::map<JsonId, std::unique_ptr<TransactCall>> sent_;  // null: of a session that is gone
  std::multimap<Height, std::unique_ptr<TransactCall>> answered_;  // that wait for their records
};

}  // namespace tandem
