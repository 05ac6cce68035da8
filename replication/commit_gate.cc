#include "replication/commit_gate.h"

#include <algorithm>
#include <tuple>

namespace tandem {
namespace {

bool reached(const Position& position, const Position& wanted) {
  return std::tie(position.epoch, position.index) >= std::tie(wanted.epoch, wanted.index);
}

/// The same server, or the same copy in the hands of a server that has been started anew.
bool is_same_copy(const FeedStatus& a, const FeedStatus& b) {
  return a.server_id == b.server_id || (!a.file.empty() && a.file == b.file && a.name == b.name);
}

}  // namespace

void CommitGate::add(Follower follower, FeedStatus status) {
  // A copy counts once: the end of its server's last connection may not have been seen yet.
  std::erase_if(followers_, [&](const auto& f) { return is_same_copy(f.second, status); });
  status.in_sync = reached(status.acknowledged, newest_);
  followers_.insert_or_assign(follower, std::move(status));
}

void CommitGate::acknowledge(Follower follower, const Position& position, std::int64_t now_ms) {
  const auto found = followers_.find(follower);
  if (found == followers_.end()) return;
  FeedStatus& status = found->second;
  status.acknowledged = position;
  status.heard_ms = now_ms;
  status.in_sync = status.in_sync || reached(position, newest_);
}

unsigned CommitGate::in_sync() const {
  return static_cast<unsigned>(std::count_if(followers_.begin(), followers_.end(),
                                             [](const auto& f) { return f.second.in_sync; }));
}

bool CommitGate::acknowledged(const Position& position) const {
  std::vector<const FeedStatus*> counted;
  for (const auto& [id, status] : followers_) {
    if (status.in_sync) counted.push_back(&status);
  }
  if (counted.size() < options_.replicas) return false;
  std::sort(counted.begin(), counted.end(), [](const FeedStatus* a, const FeedStatus* b) {
    return std::tie(a->name, a->server_id) < std::tie(b->name, b->server_id);
  });
  return std::all_of(counted.begin(), counted.begin() + options_.replicas,
                     [&](const FeedStatus* f) { return reached(f->acknowledged, position); });
}

bool CommitGate::open(const Position& position, std::int64_t logged_ms, std::int64_t now_ms) {
  if (options_.replicas == 0 || acknowledged(position)) return true;
  if (now_ms - logged_ms >= options_.timeout_ms) {
    for (auto& [id, status] : followers_) {
      status.in_sync = status.in_sync && reached(status.acknowledged, position);
    }
    if (acknowledged(position)) return true;
  }
  switch (options_.fallback) {
    case Fallback::kAsync:
      if (in_sync() >= options_.replicas) return false;
      ++missed_;
      return true;
    case Fallback::kBlock:
      return false;
  }
  return false;
}

std::optional<std::int64_t> CommitGate::deadline_ms(std::int64_t logged_ms,
                                                    std::int64_t now_ms) const {
  const std::int64_t deadline = logged_ms + options_.timeout_ms;
  if (options_.replicas == 0 || deadline <= now_ms) return std::nullopt;
  return deadline;
}

GateStatus CommitGate::status() const {
  GateStatus status;
  status.replicas = options_.replicas;
  status.in_sync = in_sync();
  status.degraded = status.in_sync < options_.replicas;
  status.missed = missed_;
  return status;
}

std::vector<FeedStatus> CommitGate::followers() const {
  std::vector<FeedStatus> result;
  for (const auto& [id, status] : followers_) result.push_back(status);
  return result;
}

}  // namespace tandem
