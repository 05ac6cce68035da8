#pragma once

#include <cstddef>
#include <optional>

#include "server/database/client_port.h"

namespace tandem {

class ClientHub;

/// A transaction of a session on its way, with what the reply needs. Made and answered on the
/// session's thread, which it may outlive.
struct SessionTransactCall final : TransactCall {
  ClientHub* hub = nullptr;
  bool selects = false;
  bool is_long_message = false;  ///< see Session::read()
  bool waits = false;            ///< in a "wait": it counts no longer among the requests under way

  Task blocked() override;
  void done() override;

 private:
  void answer();
  /// Rows in the answer, if it is one that may hold any.
  std::optional<std::size_t> rows() const;
};

}  // namespace tandem
