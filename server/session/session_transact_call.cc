#include "server/session/session_transact_call.h"

#include <utility>

#include "server/session/client_hub.h"
#include "server/session/session.h"

namespace tandem {

namespace {

/// An answer with fewer is made at once.
constexpr std::size_t kFewRows = 64;

}  // namespace

Task SessionTransactCall::blocked() {
  waits = true;
  return [hub = hub, session = session, rows = rows()] { hub->find_answered(session, rows); };
}

void SessionTransactCall::done() {
  Session* session_now = waits ? hub->find(session) : hub->find_answered(session, rows());
  if (session_now == nullptr) return;
  if (canceled) {
    session_now->send_plain_error(id, "canceled");
  } else if (refused) {
    session_now->send_error(id, *refused);
  } else if (beyond != nullptr) {
    session_now->send_limit_error(id, beyond == &WaitLimits::number ? Limit::kWaits : Limit::kKept);
  } else {
    session_now->send_updates();
    const bool has_many_rows = selects && result.rows() > kFewRows;
    session_now->send_answer(TransactAnswer(id, std::move(result)), has_many_rows);
  }
}

std::optional<std::size_t> SessionTransactCall::rows() const {
  return selects ? std::optional(result.rows()) : std::nullopt;
}

}  // namespace tandem
