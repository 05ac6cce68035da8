// The metrics of both sides of replication.

#include <algorithm>
#include <array>
#include <map>
#include <span>

#include "server/control/metrics.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

using Type = Metric::Type;
using State = FollowerStatus::State;

/// Backups whose lag is shown, of a database.
constexpr std::size_t kMostFollowers = 100;

double seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

/// One that each database has that follows another server.
template <class Value>
auto of_backups(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const DatabaseStatus& database : from.status.databases) {
      if (database.follower)
        to.add({{"database", database.name}}, value(*database.follower, from.status.now_ms));
    }
  };
}

template <class Number>
auto of_backup_count(Number FollowerStatus::*number) {
  return of_backups(
      [number](const FollowerStatus& follower, std::int64_t) { return follower.*number; });
}

bool is_current(const FollowerStatus& follower) {
  return follower.state == State::kReplicating && !follower.stale;
}

/// Does it know what the active has?
bool knows_lag(const FollowerStatus& follower) {
  return is_current(follower) && follower.mode == FollowerStatus::Mode::kStream;
}

void add_states(const MetricSource& from, MetricSamples& to) {
  constexpr std::array kStates{State::kConnecting, State::kNegotiating, State::kResyncing,
                               State::kReplicating, State::kRefused};
  for (const DatabaseStatus& database : from.status.databases) {
    if (!database.follower) continue;
    for (const State state : kStates) {
      to.add({{"database", database.name}, {"state", to_string(state)}},
             database.follower->state == state);
    }
  }
}

/// What an active knows of one of its backups. A name is no proof: of several connections that say
/// the same one the worst is shown.
struct Node {
  bool in_sync = true;
  std::uint64_t lag_records = 0;
  std::int64_t silent_ms = 0;
};

/// By name of the node, as it is shown: that of a connection is new at each one. Those that a later
/// connection has taken the place of do not count.
std::map<std::string, Node> nodes_of(const DatabaseStatus& database, std::int64_t now_ms) {
  std::map<std::string, Node> nodes;
  const std::vector<FeedStatus>& followers = database.entry.followers;
  for (const FeedStatus& feed :
       std::span(followers).first(std::min(followers.size(), kMostFollowers))) {
    if (feed.doubted) continue;
    const std::uint64_t newest = database.entry.position.index;
    const std::uint64_t at = feed.acknowledged.index;
    Node& node = nodes[printable(feed.peer_name())];
    node.in_sync = node.in_sync && feed.in_sync;
    node.lag_records = std::max(node.lag_records, newest > at ? newest - at : 0);
    node.silent_ms = std::max(node.silent_ms, now_ms - feed.heard_ms);
  }
  return nodes;
}

template <class Value>
auto of_nodes(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const DatabaseStatus& database : from.status.databases) {
      for (const auto& [name, node] : nodes_of(database, from.status.now_ms))
        to.add({{"database", database.name}, {"node", name}}, value(node));
    }
  };
}

/// Of the gate, which an active has.
template <class Value>
auto of_gates(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const DatabaseStatus& database : from.status.databases) {
      if (!database.is_copy()) to.add({{"database", database.name}}, value(database.entry.gate));
    }
  };
}

}  // namespace

MetricGroup backup_metrics() {
  return {
      "Of a backup or relay: how it stands to its active or source",
      {
          {"tandem_replicating", Type::kGauge, "database",
           "1 if every commit of the active is applied as it comes, and the active is heard.",
           of_backups([](const FollowerStatus& follower, auto) { return is_current(follower); })},
          {"tandem_replication_state", Type::kGauge, "database,state",
           "1 for the state in which replication is, 0 for the others.", add_states},
          {"tandem_source_silent_seconds", Type::kGauge, "database",
           "Time since the last word from the active. Missing as long as there was none.",
           of_backups([](const FollowerStatus& follower, std::int64_t now_ms) {
             return follower.heard_ms ? std::optional(seconds(now_ms - *follower.heard_ms))
                                      : std::nullopt;
           })},
          {"tandem_lag_records", Type::kGauge, "database",
           "Records that the active has told of and that are not here yet. Missing where that is "
           "not known: while it does not replicate, or by the monitor form.",
           of_backups([](const FollowerStatus& follower, auto) {
             return knows_lag(follower) ? std::optional(follower.lag_records()) : std::nullopt;
           })},
          {"tandem_lag_seconds", Type::kGauge, "database",
           "For how long a record that the active has told of has not been written here. Missing "
           "like tandem_lag_records.",
           of_backups([](const FollowerStatus& follower, std::int64_t now_ms) {
             return knows_lag(follower) ? std::optional(seconds(follower.lag_ms(now_ms)))
                                        : std::nullopt;
           })},
          {"tandem_replicated_commits_total", Type::kCounter, "database",
           "Commits of the active applied one by one.", of_backup_count(&FollowerStatus::commits)},
          {"tandem_resumes_total", Type::kCounter, "database",
           "Connections that went on where the last one had ended.",
           of_backup_count(&FollowerStatus::resumes)},
          {"tandem_resyncs_total", Type::kCounter, "database",
           "Times that whole contents were compared, and the difference taken over.",
           of_backup_count(&FollowerStatus::resyncs)},
          {"tandem_divergences_total", Type::kCounter, "database",
           "Times that this history had parted from the active's, since the server began to "
           "follow.",
           of_backup_count(&FollowerStatus::divergences)},
          {"tandem_diverged_records_total", Type::kCounter, "database",
           "Records set aside because of that.", of_backup_count(&FollowerStatus::records_aside)},
      }};
}

MetricGroup active_metrics() {
  return {"Of an active: the backups that follow it",
          {
              {"tandem_followers", Type::kGauge, "database", "Connections of backups.",
               of_databases(
                   [](const DatabaseStatus& database) { return database.entry.followers.size(); })},
              {"tandem_followers_in_sync", Type::kGauge, "database", "Backups that keep up.",
               of_databases(
                   [](const DatabaseStatus& database) { return database.entry.gate.in_sync; })},
              {"tandem_follower_in_sync", Type::kGauge, "database,node",
               "1 if the backup on the node keeps up.",
               of_nodes([](const Node& node) { return node.in_sync; })},
              {"tandem_follower_lag_records", Type::kGauge, "database,node",
               "Records that the backup on the node has not acknowledged.",
               of_nodes([](const Node& node) { return node.lag_records; })},
              {"tandem_follower_silent_seconds", Type::kGauge, "database,node",
               "Time since the last word from the backup on the node.",
               of_nodes([](const Node& node) { return seconds(node.silent_ms); })},
              {"tandem_delivery_duration_seconds", Type::kHistogram, "database",
               "From when a commit is in the log until a connected backup has acknowledged it; one "
               "count for each backup.",
               of_databases([](const DatabaseStatus& database) {
                 const DatabaseFiguresRef& figures = database.entry.figures;
                 return figures == nullptr ? std::nullopt
                                           : std::optional(figures->deliveries.totals());
               })},
              {"tandem_sync_replicas", Type::kGauge, "database",
               "Acknowledgements of backups that a commit waits for.",
               of_gates([](const GateStatus& gate) { return gate.replicas; })},
              {"tandem_gate_degraded", Type::kGauge, "database",
               "1 if fewer backups than that keep up: commits go on without them, or wait.",
               of_gates([](const GateStatus& gate) { return gate.degraded; })},
              {"tandem_gate_missed_total", Type::kCounter, "database",
               "Commits published with too few acknowledgements.",
               of_gates([](const GateStatus& gate) { return gate.missed; })},
              {"tandem_gate_waiting", Type::kGauge, "database",
               "Replies and updates that wait for acknowledgements.",
               of_gates([](const GateStatus& gate) { return gate.waiting; })},
              {"tandem_gate_waiting_seconds", Type::kGauge, "database",
               "For how long the oldest of them has waited.",
               of_gates([](const GateStatus& gate) { return seconds(gate.waiting_ms); })},
          }};
}

}  // namespace tandem::control
