#pragma once

#include <cstddef>
#include <optional>

#include "server/writer/client_port.h"

namespace tandem {

class ClientHub;

/// A transaction of a session on its way, with what the reply needs. Made and answered on the
/// session's thread, which it may outlive.
struct SessionTransactCall final : TransactCall {
  ClientHub* hub = nullptr;
  bool selects = false;
  bool is_long_message = false;  ///< see Session::read()
  /// Counts not among the requests under way: it is in a "wait", or comes from a backup, whose
  /// acknowledgements have to be read however many there are: it may wait for one of them.
  bool uncounted = false;

  Task blocked() override;
  void done() override;

 private:
  void answer();
  /// Rows in the answer, if it is one that may hold any.
  std::optional<std::size_t> rows() const;
};

}  // namespace tandem
