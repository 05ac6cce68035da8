#include "replication/follower_status.h"

namespace tandem {

std::string_view to_string(FollowerStatus::State state) {
  switch (state) {
    case FollowerStatus::State::kConnecting:
      return "connecting";
    case FollowerStatus::State::kNegotiating:
      return "negotiating";
    case FollowerStatus::State::kResyncing:
      return "resyncing";
    case FollowerStatus::State::kReplicating:
      return "replicating";
    case FollowerStatus::State::kRefused:
      return "refused";
  }
  return "";
}

std::string_view to_string(FollowerStatus::Mode mode) {
  switch (mode) {
    case FollowerStatus::Mode::kNone:
      return "none";
    case FollowerStatus::Mode::kStream:
      return "stream";
    case FollowerStatus::Mode::kMonitor:
      return "monitor";
  }
  return "";
}

}  // namespace tandem
