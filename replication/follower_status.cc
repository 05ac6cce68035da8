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

std::optional<std::int64_t> FollowerStatus::resync_left_ms(std::int64_t now_ms) const {
  if (state != State::kResyncing || rows == 0 || rows > rows_total) return std::nullopt;
  const double a_row = static_cast<double>(now_ms - rows_since_ms) / static_cast<double>(rows);
  return static_cast<std::int64_t>(a_row * static_cast<double>(rows_total - rows));
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
