#include "server/writer/followers.h"

#include <utility>

#include "replication/follower_places.h"

namespace tandem {

bool Followers::has_place_for(SessionId session, const std::string& address,
                              std::int64_t now_ms) const {
  return gate_.has_room_for(gate_id(session)) || gate_.gives_way(host_of(address), now_ms);
}

void Followers::add(Newcomer newcomer, std::int64_t now_ms) {
  if (!gate_.has_room_for(gate_id(newcomer.session)))
    lose(SessionId{gate_.gives_way(host_of(newcomer.address), now_ms).value()});
  FeedStatus status;
  status.server_id = newcomer.request.server_id;
  status.name = newcomer.request.name;
  status.node = newcomer.request.node;
  status.file = newcomer.request.file;
  status.address = newcomer.address;
  status.host = host_of(newcomer.address);
  status.heard_ms = now_ms;
  // Nothing is acknowledged yet: where the backup stands is in its log, perhaps not on its disk.
  for (const CommitGate::Follower doubted :
       gate_.add(gate_id(newcomer.session), std::move(status))) {
    const Follower& other = followers_.at(SessionId{doubted});
    other.mailbox->put([challenge = other.listener.challenge] { challenge(); });
  }
  followers_.insert_or_assign(
      newcomer.session, Follower{newcomer.mailbox, std::move(newcomer.listener), newcomer.index});
}

void Followers::remove(SessionId session) {
  if (followers_.erase(session) > 0) gate_.remove(gate_id(session));
}

void Followers::lose(SessionId session) {
  auto lost = followers_.extract(session);
  gate_.remove(gate_id(session));
  lost.mapped().mailbox->put(
      [deliver = std::move(lost.mapped().listener.deliver)] { deliver(nullptr); });
}

void Followers::lose_all() {
  while (!followers_.empty()) lose(followers_.begin()->first);
}

void Followers::tell(const StreamTextRef& text) const {
  for (const auto& [session, follower] : followers_)
    follower.mailbox->put([deliver = follower.listener.deliver, text] { deliver(text); });
}

void Followers::acknowledge(SessionId session, const Position& position, std::int64_t now_us,
                            TimeHistogram& deliveries) {
  gate_.acknowledge(gate_id(session), position, now_us / 1000);
  std::uint64_t& delivered = followers_.at(session).delivered;
  times_.acknowledged(delivered, position.index, now_us, deliveries);
  delivered = position.index;
}

}  // namespace tandem
