#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "protocol/framer.h"
#include "protocol/jsonrpc.h"

namespace tandem::net {

/// How the debug log of module "jsonrpc" shows a message: `notification, method="update3",
/// params=[...]`, `reply, result=[], id=3`.
std::string describe(const JsonRpcMessage& message);

/// Writes the messages that one connection sends to that log. On the connection's thread.
class SentLog {
 public:
  explicit SentLog(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  /// Messages are logged when they are whole.
  void add(const std::string& text, const std::string& connection);
  /// Forgets an unfinished message: texts that follow are not logged until the next one begins.
  void forget() { framer_.reset(); }

 private:
  const std::size_t most_bytes_;
  std::unique_ptr<Framer> framer_;  ///< only while there is something to be logged
};

}  // namespace tandem::net
