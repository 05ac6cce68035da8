#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "protocol/jsonrpc.h"
#include "server/database/client_port.h"

namespace tandem {

/// What is asked of whoever has the connection to the server that executes transactions.
class ForwardsPort {
 public:
  virtual ~ForwardsPort() = default;
  virtual void send(std::string text) = 0;
  /// Gives a transaction back, with its answer, behind the commits that came before the answer.
  virtual void answer(std::unique_ptr<TransactCall> call) = 0;
};

/// The transactions of one database on their way to the server that executes them. Those that come
/// while there is none wait; nobody knows what has become of those that were sent when it goes.
/// Sans-IO; one thread.
class Forwards {
 public:
  Forwards(std::string database, ForwardsPort& port);

  void forward(std::unique_ptr<TransactCall> call);
  void cancel(SessionId session, const JsonId& id);
  /// The session is gone.
  void drop(SessionId session);

  /// The server takes them, and what it has is here.
  void open();
  /// It is lost.
  void close(const std::string& reason);
  /// The database goes away here.
  void end();
  /// False: the answer is to something else.
  bool on_answer(const JsonRpcMessage& answer);

 private:
  void send(std::unique_ptr<TransactCall> call);
  void send_cancel(const JsonId& id);
  void give_up(std::unique_ptr<TransactCall> call, const std::string& reason);
  /// It has not been sent, and never will be.
  void refuse(std::unique_ptr<TransactCall> call);

  const std::string database_;
  ForwardsPort& port_;
  bool open_ = false;
  bool ended_ = false;
  std::uint64_t next_id_ = 0;
  std::deque<std::unique_ptr<TransactCall>> waiting_;
  std::map<JsonId, std::unique_ptr<TransactCall>> sent_;  // null: of a session that is gone
};

}  // namespace tandem
