#include "replication/commit_gate.h"

#include <algorithm>
#include <tuple>

#include "replication/follower_places.h"

namespace tandem {
namespace {

bool reached(const Position& position, const Position& wanted) {
  return position.height() >= wanted.height();
}

/// They say that they are the same server, or the same copy in the hands of a server that has been
/// started anew.
bool claim_same_copy(const FeedStatus& a, const FeedStatus& b) {
  return a.server_id == b.server_id || (!a.file.empty() && a.file == b.file && a.name == b.name);
}

}  // namespace

// --- followers ---

std::vector<CommitGate::Follower> CommitGate::add(Follower follower, FeedStatus status) {
  std::vector<Follower> doubted;
  for (auto& [id, other] : followers_) {
    if (id == follower || !claim_same_copy(other.status, status)) continue;
    other.claimed_by = follower;
    doubted.push_back(id);
  }
  Member member;
  status.in_sync = reached(status.acknowledged, newest_);
  member.since_ms = status.heard_ms;
  member.trial_ms = trial_ms_;
  member.status = std::move(status);
  if (const auto before = followers_.find(follower); before != followers_.end())
    member.late = before->second.late;
  followers_.insert_or_assign(follower, std::move(member));
  counted_ms_.reset();
  return doubted;
}

void CommitGate::remove(Follower follower) {
  followers_.erase(follower);
  counted_ms_.reset();
}

void CommitGate::alive(Follower follower) {
  const auto found = followers_.find(follower);
  if (found == followers_.end()) return;
  found->second.claimed_by.reset();
  counted_ms_.reset();
}

void CommitGate::acknowledge(Follower follower, const Position& position, std::int64_t now_ms) {
  const auto found = followers_.find(follower);
  if (found == followers_.end()) return;
  counted_ms_.reset();
  Member& member = found->second;
  member.claimed_by.reset();
  member.status.acknowledged = position;
  member.status.heard_ms = now_ms;
  if (is_established(member, now_ms)) member.late = false;
  if (member.status.in_sync || !reached(position, newest_)) return;
  member.status.in_sync = true;
  member.since_ms = now_ms;
  member.trial_ms = trial_ms_;
}

std::optional<CommitGate::Follower> CommitGate::gives_way(std::string_view host,
                                                          std::int64_t now_ms) const {
  using Proof = PlaceHolder::Proof;
  std::vector<PlaceHolder> holders;
  std::vector<Follower> ids;
  for (const auto& [id, member] : followers_) {
    const std::int64_t silent_ms = now_ms - member.status.heard_ms;
    const bool keeps_up = member.status.in_sync && silent_ms <= kFollowerSilentMs;
    const bool nothing = member.status.acknowledged == Position{};
    holders.push_back({member.status.host,
                       nothing    ? Proof::kNone
                       : keeps_up ? Proof::kKeepsUp
                                  : Proof::kSilent,
                       silent_ms, now_ms - member.since_ms});
    ids.push_back(id);
  }
  const std::optional<std::size_t> found = who_gives_way(holders, host);
  return found ? std::optional(ids[*found]) : std::nullopt;
}

std::optional<Position> CommitGate::acknowledged(Follower follower) const {
  const auto found = followers_.find(follower);
  if (found == followers_.end() || found->second.status.acknowledged == Position{})
    return std::nullopt;
  return found->second.status.acknowledged;
}

std::vector<FeedStatus> CommitGate::followers() const {
  std::vector<FeedStatus> result;
  for (const auto& [id, member] : followers_) {
    result.push_back(member.status);
    result.back().doubted = &head(member) != &member;
  }
  return result;
}

// --- who counts ---

bool CommitGate::is_established(const Member& member, std::int64_t now_ms) const {
  return member.status.in_sync && now_ms - member.since_ms >= member.trial_ms &&
         now_ms - member.status.heard_ms <= kFollowerSilentMs;
}

const CommitGate::Member& CommitGate::head(const Member& member) const {
  // A claim is always of one that joined later: this ends.
  const Member* head = &member;
  while (head->claimed_by) {
    const auto found = followers_.find(*head->claimed_by);
    if (found == followers_.end()) break;
    head = &found->second;
  }
  return *head;
}

std::vector<CommitGate::Backup> CommitGate::count(std::int64_t now_ms) const {
  std::vector<Backup> result;
  for (const auto& [id, member] : followers_) {
    if (!member.status.in_sync) continue;
    const FeedStatus& status = head(member).status;
    const Backup backup{&status, member.status.acknowledged, is_established(member, now_ms),
                        member.late};
    const auto same = std::find_if(result.begin(), result.end(),
                                   [&](const Backup& b) { return b.status == &status; });
    if (same == result.end()) {
      result.push_back(backup);
      continue;
    }
    if (reached(backup.acknowledged, same->acknowledged)) same->acknowledged = backup.acknowledged;
    same->established = same->established || backup.established;
    same->late = same->late && backup.late;
  }
  std::sort(result.begin(), result.end(), [](const Backup& a, const Backup& b) {
    const auto rank = [](const Backup& x) { return x.established ? 0 : x.late ? 2 : 1; };
    const int rank_a = rank(a);
    const int rank_b = rank(b);
    return std::tie(rank_a, a.status->name, a.status->server_id) <
           std::tie(rank_b, b.status->name, b.status->server_id);
  });
  return result;
}

const std::vector<CommitGate::Backup>& CommitGate::backups(std::int64_t now_ms) {
  if (counted_ms_ != now_ms) {
    counted_ = count(now_ms);
    counted_ms_ = now_ms;
  }
  return counted_;
}

// --- commits ---

bool CommitGate::acknowledged(const Position& position, std::int64_t now_ms) {
  const std::vector<Backup>& counted = backups(now_ms);
  if (counted.size() < options_.replicas) return false;
  return std::all_of(counted.begin(), counted.begin() + options_.replicas,
                     [&](const Backup& b) { return reached(b.acknowledged, position); });
}

/// Puts newcomers that let the commit wait behind the others, if enough of these have it.
void CommitGate::pass_over_late(const Position& position, std::int64_t now_ms) {
  const std::vector<Backup>& counted = backups(now_ms);
  const auto have = std::count_if(counted.begin(), counted.end(), [&](const Backup& b) {
    return reached(b.acknowledged, position);
  });
  if (have < static_cast<std::ptrdiff_t>(options_.replicas)) return;
  for (auto& [id, member] : followers_) {
    if (!member.status.in_sync || is_established(member, now_ms) ||
        reached(member.status.acknowledged, position))
      continue;
    member.late = true;
    member.since_ms = now_ms;
    counted_ms_.reset();
  }
}

/// A backup that let the commit wait for the whole timeout no longer keeps up.
void CommitGate::drop_silent(const Position& position, std::int64_t now_ms) {
  bool was_established = false;
  for (auto& [id, member] : followers_) {
    if (!member.status.in_sync || reached(member.status.acknowledged, position)) continue;
    was_established = was_established || now_ms - member.since_ms >= member.trial_ms;
    member.status.in_sync = false;
    member.late = true;
    counted_ms_.reset();
  }
  if (was_established) trial_ms_ = std::min(trial_ms_ * 2, kLongestTrialMs);
}

bool CommitGate::open(const Position& position, std::int64_t logged_ms, std::int64_t now_ms) {
  if (options_.replicas == 0 || acknowledged(position, now_ms)) return true;
  if (now_ms - logged_ms >= kPatienceMs) {
    pass_over_late(position, now_ms);
    if (acknowledged(position, now_ms)) return true;
  }
  if (now_ms - logged_ms >= options_.timeout_ms) {
    drop_silent(position, now_ms);
    if (acknowledged(position, now_ms)) return true;
  }
  switch (options_.fallback) {
    case Fallback::kAsync:
      if (backups(now_ms).size() >= options_.replicas) return false;
      ++missed_;
      return true;
    case Fallback::kBlock:
      return false;
  }
  return false;
}

std::optional<std::int64_t> CommitGate::deadline_ms(std::int64_t logged_ms,
                                                    std::int64_t now_ms) const {
  if (options_.replicas == 0) return std::nullopt;
  for (const std::int64_t wait_ms :
       {std::min(kPatienceMs, options_.timeout_ms), options_.timeout_ms}) {
    if (logged_ms + wait_ms > now_ms) return logged_ms + wait_ms;
  }
  return std::nullopt;
}

GateStatus CommitGate::status() const {
  GateStatus status;
  status.replicas = options_.replicas;
  status.in_sync = static_cast<unsigned>(count(0).size());
  status.degraded = status.in_sync < options_.replicas;
  status.missed = missed_;
  return status;
}

}  // namespace tandem
