#include "server/control/lag_history.h"

#include <algorithm>

#include "server/control/server_status.h"

namespace tandem::control {

void LagHistory::look(const ServerStatus& status) {
  const std::int64_t sample = status.now_ms / kSampleMs;
  const std::int64_t fresh = std::min<std::int64_t>(sample - sample_, kSamples);
  for (std::int64_t i = 0; i < fresh; ++i) {
    for (auto& [database, lines] : lines_) {
      for (auto& [peer, samples] : lines) samples.values.at(place(sample - i)).reset();
    }
  }
  sample_ = sample;
  now_ms_ = status.now_ms;
  std::map<std::string, Lines> former;
  former.swap(lines_);
  for (const DatabaseStatus& database : status.databases) {
    Lines& lines = lines_[database.name];
    if (auto known = former.find(database.name); known != former.end()) lines.swap(known->second);
    for (const FeedStatus& feed : database.entry.followers) {
      const std::uint64_t newest = database.entry.position.index;
      const std::uint64_t at = feed.acknowledged.index;
      note(lines, feed.peer_name(), newest > at ? newest - at : 0);
    }
    if (database.follower && database.follower->state == FollowerStatus::State::kReplicating)
      note(lines, "", database.follower->lag_records());
    std::erase_if(lines, [&](const auto& line) {
      return line.second.seen_ms + static_cast<std::int64_t>(kSamples) * kSampleMs <= now_ms_;
    });
  }
}

void LagHistory::note(Lines& lines, const std::string& peer, std::uint64_t lag) {
  if (!lines.contains(peer) && lines.size() >= kMostLines) {
    const auto oldest = std::min_element(
        lines.begin(), lines.end(),
        [](const auto& a, const auto& b) { return a.second.seen_ms < b.second.seen_ms; });
    if (oldest->second.seen_ms == now_ms_) return;
    lines.erase(oldest);
  }
  Samples& samples = lines[peer];
  samples.seen_ms = now_ms_;
  std::optional<std::uint64_t>& value = samples.values.at(place(sample_));
  value = std::max(value.value_or(0), lag);
}

LagHistory::Line LagHistory::follower(const std::string& database, const std::string& peer) const {
  const auto lines = lines_.find(database);
  if (lines == lines_.end()) return {};
  const auto found = lines->second.find(peer);
  if (found == lines->second.end()) return {};
  Line line;
  for (std::int64_t sample = sample_ - static_cast<std::int64_t>(kSamples) + 1; sample <= sample_;
       ++sample)
    line.push_back(sample < 0 ? std::nullopt : found->second.values.at(place(sample)));
  return line;
}

std::vector<LagHistory::Gone> LagHistory::gone(const std::string& database) const {
  std::vector<Gone> gone;
  const auto lines = lines_.find(database);
  if (lines == lines_.end()) return gone;
  for (const auto& [peer, samples] : lines->second) {
    if (!peer.empty() && samples.seen_ms < now_ms_) gone.push_back({peer, samples.seen_ms});
  }
  std::sort(gone.begin(), gone.end(),
            [](const Gone& a, const Gone& b) { return a.seen_ms > b.seen_ms; });
  return gone;
}

}  // namespace tandem::control
