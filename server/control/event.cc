#include "server/control/event.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "server/control/facts_report.h"
#include "server/control/server_status.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// Of one kind and database in one look. Strangers may come and go as they like.
constexpr std::size_t kMostAtOnce = 5;
/// Bytes of a name.
constexpr std::size_t kLongestName = 80;

std::string name_of(const FeedStatus& feed) {
  return fmt::format("{} ({})", printable(feed.peer_name(), kLongestName),
                     printable(feed.address, kLongestName));
}

std::string records(std::uint64_t count) {
  return count == 1 ? "1 record" : fmt::format("{} records", count);
}

std::uint64_t lag_of(const FeedStatus& feed, const Position& newest) {
  return newest.index > feed.acknowledged.index ? newest.index - feed.acknowledged.index : 0;
}

const FeedStatus* find(const std::vector<FeedStatus>& feeds, const FeedStatus& wanted) {
  // One that has come back has another connection.
  const auto found = std::find_if(feeds.begin(), feeds.end(), [&](const FeedStatus& feed) {
    return feed.address == wanted.address && feed.server_id == wanted.server_id;
  });
  return found == feeds.end() ? nullptr : &*found;
}

bool is_there(const std::vector<FeedStatus>& feeds, const FeedStatus& wanted) {
  return std::any_of(feeds.begin(), feeds.end(), [&](const FeedStatus& feed) {
    return feed.peer_name() == wanted.peer_name() && feed.file == wanted.file;
  });
}

/// Collects events of one server between two looks.
class Comparison {
 public:
  Comparison(const ServerStatus& before, const ServerStatus& now) : before_(before), now_(now) {}

  std::vector<Event> run() {
    roles();
    for (const DatabaseStatus& database : now_.databases) {
      const auto was =
          std::find_if(before_.databases.begin(), before_.databases.end(),
                       [&](const DatabaseStatus& other) { return other.name == database.name; });
      if (was == before_.databases.end()) continue;
      backups(*was, database);
      gate(*was, database);
      if (was->follower && database.follower)
        replication(database, *was->follower, *database.follower);
    }
    remotes();
    limits();
    return std::move(events_);
  }

 private:
  Event& add(Event::Kind kind, std::string text) {
    return events_.emplace_back(Event{kind, now_.now_ms, std::move(text)});
  }

  void roles() {
    const std::int64_t known_ms =
        before_.role_changes.empty() ? 0 : before_.role_changes.front().at_ms;
    for (auto change = now_.role_changes.rbegin(); change != now_.role_changes.rend(); ++change) {
      if (change->at_ms <= known_ms) continue;
      Event& event =
          add(Event::Kind::kRole, change->role == RoleState::kExpired
                                      ? "read-only: the role lease has run out"
                                      : fmt::format("role: {}", role_name(change->role)));
      event.at_ms = change->at_ms;
      event.warning = change->role == RoleState::kExpired;
      event.told_elsewhere = true;
    }
  }

  void backups(const DatabaseStatus& was, const DatabaseStatus& database) {
    const std::vector<FeedStatus>& former = was.entry.followers;
    const std::vector<FeedStatus>& present = database.entry.followers;
    std::vector<std::string> gone;
    for (const FeedStatus& feed : former) {
      if (find(present, feed) == nullptr && !is_there(present, feed))
        gone.push_back(fmt::format("backup {} left", name_of(feed)));
    }
    add_some(database.name, gone);
    std::vector<std::string> others;
    for (const FeedStatus& feed : present) {
      const FeedStatus* const before = find(former, feed);
      const std::uint64_t lag = lag_of(feed, database.entry.position);
      const std::string behind = feed.in_sync ? "in sync" : records(lag) + " behind";
      if (before == nullptr) {
        const std::string_view how = is_there(former, feed) ? "came back" : "joined";
        others.push_back(fmt::format("backup {} {}, {}", name_of(feed), how, behind));
      } else if (before->in_sync != feed.in_sync) {
        others.push_back(feed.in_sync ? fmt::format("backup {} is in sync", name_of(feed))
                                      : fmt::format("backup {} fell behind, by {}", name_of(feed),
                                                    records(lag)));
      }
    }
    add_some(database.name, others);
  }

  /// So many at most, and then how many there were.
  void add_some(const std::string& database, const std::vector<std::string>& texts) {
    for (const std::string& text : std::span(texts).first(std::min(texts.size(), kMostAtOnce)))
      add(Event::Kind::kBackup, fmt::format("{}: {}", database, text));
    if (texts.size() > kMostAtOnce)
      add(Event::Kind::kBackup,
          fmt::format("{}: and so did {} others", database, texts.size() - kMostAtOnce));
  }

  void gate(const DatabaseStatus& was, const DatabaseStatus& database) {
    const std::uint64_t missed = database.entry.gate.missed;
    // While that lasts it is a concern.
    if (missed <= was.entry.gate.missed || was.entry.gate.degraded || database.backup) return;
    const std::uint64_t count = missed - was.entry.gate.missed;
    add(Event::Kind::kGate,
        fmt::format(
            "{}: {} acknowledged that fewer than {} backups have: if this server is lost now, "
            "so {}",
            database.name, count == 1 ? "1 commit was" : fmt::format("{} commits were", count),
            database.entry.gate.replicas, count == 1 ? "is it" : "are they"))
        .warning = true;
  }

  void replication(const DatabaseStatus& database, const FollowerStatus& was,
                   const FollowerStatus& is) {
    const auto tell = [&](std::string text) -> Event& {
      Event& event =
          add(Event::Kind::kReplication, fmt::format("{}: {}", database.name, std::move(text)));
      event.told_elsewhere = true;
      return event;
    };
    if (is.divergences > was.divergences) {
      tell(fmt::format("had parted from the active server; {} set aside in {}",
                       records(is.records_aside - was.records_aside), is.divergence_file))
          .warning = true;
    }
    if (was.state == is.state && was.stale == is.stale) return;
    using State = FollowerStatus::State;
    if (is.stale) {
      tell(fmt::format("the active server {} has fallen silent", database.source)).warning = true;
    } else if (is.state == State::kReplicating) {
      tell("replicates " + database.source);
    } else if (is.state == State::kConnecting && was.state != State::kNegotiating) {
      tell(fmt::format("lost the active server {}", database.source)).warning = true;
    } else if (is.state == State::kResyncing) {
      tell(fmt::format("takes over what differs from {}", database.source));
    } else if (is.state == State::kRefused) {
      tell("cannot be replicated: " + is.error).warning = true;
    }
  }

  void remotes() {
    for (const net::RemoteStatus& remote : now_.remotes) {
      const auto was = std::find_if(
          before_.remotes.begin(), before_.remotes.end(),
          [&](const net::RemoteStatus& other) { return other.target == remote.target; });
      if (was != before_.remotes.end() && was->is_up == remote.is_up) continue;
      Event& event = add(Event::Kind::kRemote,
                         fmt::format("remote {}: {}{}", remote.target, remote.state,
                                     remote.problem.empty() ? "" : " (" + remote.problem + ")"));
      event.told_elsewhere = true;
      event.warning = remote.state == "not listening";
    }
  }

  void limits() {
    for (std::size_t i = 0; i < std::min(before_.limits.size(), now_.limits.size()); ++i) {
      const ServerStatus::LimitStatus& is = now_.limits[i];
      const std::uint64_t times = is.times - before_.limits[i].times;
      if (times == 0) continue;
      add(Event::Kind::kLimit,
          fmt::format("clients met --{}={} ({} times)", is.name, is.value, times))
          .told_elsewhere = true;
    }
  }

  const ServerStatus& before_;
  const ServerStatus& now_;
  std::vector<Event> events_;
};

}  // namespace

std::vector<Event> events_between(const ServerStatus& before, const ServerStatus& now) {
  return Comparison(before, now).run();
}

}  // namespace tandem::control
