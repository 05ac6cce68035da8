#pragma once

#include <map>
#include <set>

#include "server/writer/client_port.h"

namespace tandem {

/// The transactions of one database that may be in a "wait" at the server that executes them: each
/// from when it is forwarded until it comes back. Owned by the writer.
class ForwardedWaits {
 public:
  /// Requires that none of its session has its id.
  void add(const TransactCall& call) {
    OfSession& of = sessions_.try_emplace(call.session).first->second;
    of.ids.insert(call.id);
    of.used.number += 1;
    of.used.bytes += call.wait_bytes;
  }
  /// It is back. Nothing if it was not added, or its session is gone.
  void remove(const TransactCall& call) {
    const auto found = sessions_.find(call.session);
    if (found == sessions_.end() || found->second.ids.erase(call.id) == 0) return;
    WaitLimits& used = found->second.used;
    used.number -= 1;
    used.bytes -= call.wait_bytes;
    if (used.number == 0) sessions_.erase(found);
  }
  void drop(SessionId session) { sessions_.erase(session); }

  bool contains(SessionId session, const JsonId& id) const {
    const auto found = sessions_.find(session);
    return found != sessions_.end() && found->second.ids.contains(id);
  }
  /// Those of a session, and the bytes of their requests.
  WaitLimits used_by(SessionId session) const {
    const auto found = sessions_.find(session);
    return found == sessions_.end() ? kNone : found->second.used;
  }

 private:
  static constexpr WaitLimits kNone{0, 0};
  struct OfSession {
    std::set<JsonId> ids;
    WaitLimits used = kNone;
  };
  std::map<SessionId, OfSession> sessions_;
};

}  // namespace tandem
