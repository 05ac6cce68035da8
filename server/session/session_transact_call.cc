#include "server/session/session_transact_call.h"

#include <utility>

#include "server/session/client_hub.h"
#include "server/session/session.h"

namespace tandem {

namespace {

/// An answer of no more rows and no more bytes is short.
constexpr std::size_t kFewRows = 64;
constexpr std::size_t kFewBytes = std::size_t{64} << 10;

bool is_long(const TransactResult& answer) {
  if (answer.rows() > kFewRows) return true;
  std::size_t bytes = 0;
  for (const OperationResult& result : answer.results) {
    const auto* found = std::get_if<RowsResult>(&result);
    if (found == nullptr) continue;
    for (const RowRef& row : found->rows) {
      for (const ColumnIndex column : found->columns)
        bytes += column < kFirstOwnColumn ? 0 : row->datum(column).heap_bytes();
    }
  }
  return bytes > kFewBytes;
}

}  // namespace

Task SessionTransactCall::blocked() {
  if (std::exchange(uncounted, true)) return {};
  return [hub = hub, session = session, rows = rows()] { hub->find_answered(session, rows); };
}

void SessionTransactCall::done() {
  answer();
  if (!is_long_message) return;
  // To free the parts of a long message may take a whole turn: the thread that reads such does it.
  hub->reader().post([operations = std::move(transaction), message = std::move(request)] {});
}

void SessionTransactCall::answer() {
  Session* session_now = uncounted ? hub->find(session) : hub->find_answered(session, rows());
  if (session_now == nullptr) return;
  if (unbounded) session_now->end_forwarded();
  if (asks_height && height && !refused && lost.empty()) session_now->tell_height(id, *height);
  if (canceled) {
    session_now->send_plain_error(id, "canceled");
  } else if (refused) {
    session_now->send_error(id, *refused);
  } else if (!lost.empty()) {
    session_now->lose(lost);
  } else if (forwarded) {
    session_now->send_forwarded(id, *forwarded);
  } else if (beyond != nullptr) {
    session_now->send_limit_error(id, beyond == &WaitLimits::number ? Limit::kWaits : Limit::kKept);
  } else {
    session_now->send_updates();
    // Rows take less memory than their text: for a client that does not take what is there, the
    // text of a long answer is made later.
    const bool later = selects && session_now->is_behind() && is_long(result);
    session_now->send_answer(TransactAnswer(id, std::move(result)), later);
  }
}

std::optional<std::size_t> SessionTransactCall::rows() const {
  return selects ? std::optional(result.rows()) : std::nullopt;
}

}  // namespace tandem
