#include "server/session/session_facts.h"

#include "server/session/session.h"

namespace tandem {

SessionFacts Session::facts() const {
  const ConnectionInfo& info = port_.info();
  SessionFacts facts;
  facts.name = info.name;
  facts.remote = info.remote;
  facts.peer_id = info.peer_id;
  facts.role = info.role;
  facts.is_backup = !feeds_.empty();
  facts.requests = requests_;
  facts.under_way = window_.under_way() + waiting_.size();
  facts.unsent_bytes = port_.queued_bytes();
  facts.is_behind = port_.is_behind();
  facts.monitors = monitors_.size();
  locks_.tell(facts);
  return facts;
}

std::vector<SessionFacts> ClientHub::sessions() const {
  std::vector<SessionFacts> all;
  all.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) all.push_back(session->facts());
  return all;
}

}  // namespace tandem
