#pragma once

#include <memory>
#include <string>

#include "server/writer/client_port.h"

namespace tandem {

/// Hands transactions to the server that executes a database's writes in the place of this one.
/// Calls come from the writer. Whatever it takes it gives back, by DatabaseServer::answer().
class Forwarder {
 public:
  virtual ~Forwarder() = default;
  virtual void forward(std::unique_ptr<TransactCall> call) = 0;
  /// RFC 7047 section 4.1.4.
  virtual void cancel(SessionId session, const JsonId& id) = 0;
  /// Nobody waits for the session's answers any more.
  virtual void drop(SessionId session) = 0;
};

/// Why the connection of a client is closed whose transaction was executed, but is not seen here.
std::string records_lost();

}  // namespace tandem
