#include "server/session/watched_database.h"

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

/// So many keys are looked up, and so many rows are taken, in one go; more are found by a walk.
constexpr std::size_t kMostKeys = 16'384;
constexpr std::size_t kMostRows = 16'384;
/// A session is told so many changes of a commit in one go; a change counts for each monitor.
constexpr std::size_t kMostToldAtOnce = 4096;
/// So many rows of the backlog are merged for each change of a commit, and at most for one commit.
constexpr std::size_t kMergedPerChange = 16;
constexpr std::size_t kMostMerged = 16'384;

/// The <table-updates> of these changes, or empty text when the monitors see nothing of them.
std::string encode(const MonitorRequest& request, const std::vector<const RowChange*>& changes) {
  std::string text;
  UpdateWriter writer(request, text);
  for (const RowChange* change : changes) {
    if (const MonitoredTable* table = request.find(change->table))
      writer.change(*table, change->before.get(), change->after.get());
  }
  if (writer.empty()) return {};
  writer.end();
  return text;
}

}  // namespace

WatchedDatabase::WatchedDatabase(DatabaseInfoRef database)
    : database_(std::move(database)), tables_(database_->schema->tables().size()) {}

// --- groups ---

void WatchedDatabase::join(Monitor& monitor, MonitorRequestRef request) {
  const std::size_t hash = request->hash();
  auto [group, end] = groups_.equal_range(hash);
  while (group != end && *group->second.request != *request) ++group;
  if (group == end) {
    group = groups_.emplace(hash, MonitorGroup{database_, std::move(request), hash, {}, {}, {}});
    for (const MonitoredTable& table : group->second.request->tables)
      tables_[table.table].interest.add(group->second, table);
  }
  monitor.group = &group->second;
  monitor.place = group->second.members.size();
  group->second.members.push_back(&monitor);
  monitor.client->by_group.insert(MonitorClient::place_of(monitor));
}

void WatchedDatabase::leave(Monitor& monitor) {
  monitor.client->by_group.erase(MonitorClient::place_of(monitor));
  MonitorGroup& group = *std::exchange(monitor.group, nullptr);
  group.members[monitor.place] = group.members.back();
  group.members[monitor.place]->place = monitor.place;
  group.members.pop_back();
  if (!group.members.empty()) return;
  const MonitorRequestRef request = group.request;
  for (const MonitoredTable& table : request->tables)
    tables_[table.table].interest.remove(group, table);
  auto [at, end] = groups_.equal_range(group.hash);
  while (&at->second != &group) ++at;
  groups_.erase(at);
  drop_unused_lookups(*request);
}

void WatchedDatabase::move(Monitor& monitor, MonitorRequestRef request) {
  if (*monitor.group->request == *request) return;
  // The new group comes first, so that what both need stays.
  Monitor left = monitor;
  left.group->members[left.place] = &left;
  join(monitor, std::move(request));
  leave(left);
}

// --- updates ---

std::vector<MonitorClient*> WatchedDatabase::on_commit(const Commit& commit) {
  for (const RowChange& change : commit.changes) {
    WatchedTable& table = tables_[change.table];
    for (const auto& lookup : table.lookups) lookup->change(change);
    table.interest.for_each(change.before.get(), change.after.get(), [&](MonitorGroup& group) {
      if (!group.concerned.empty() && group.concerned.back() == &change) return;
      if (group.concerned.empty()) touched_.push_back(&group);
      group.concerned.push_back(&change);
    });
  }
  if (touched_.empty()) return {};
  // A session gets a commit whole or not at all: sending may fill its queue.
  for (const MonitorGroup* group : touched_) hold_back(*group, commit.changes.size());
  for (MonitorClient* client : std::exchange(counted_, {})) client->told_at_once = 0;
  for (MonitorGroup* group : touched_) deliver(*group, commit);
  for (MonitorGroup* group : touched_) group->concerned.clear();
  touched_.clear();
  if (backlog_.empty()) return {};
  newest_id_ = commit.id;
  for (const RowChange& change : commit.changes) backlog_.add(change);
  backlog_.merge_some(std::min(kMostMerged, kMergedPerChange * commit.changes.size()));
  return std::exchange(long_told_, {});
}

void WatchedDatabase::hold_back(const MonitorGroup& group, std::size_t most) {
  for (const Monitor* monitor : group.members) {
    MonitorClient& client = *monitor->client;
    if (is_held_back(client)) continue;
    const bool is_behind = client.port->is_behind();
    if (!is_behind && (most * client.monitors.size() <= kMostToldAtOnce ||
                       !is_long(client, group.concerned.size())))
      continue;
    client.behind.emplace(database_->generation, backlog_.open());
    if (!is_behind) long_told_.push_back(&client);
  }
}

bool WatchedDatabase::is_long(MonitorClient& client, std::size_t changes) {
  if (client.told_at_once == 0) counted_.push_back(&client);
  client.told_at_once += changes;
  return client.told_at_once > kMostToldAtOnce;
}

void WatchedDatabase::deliver(MonitorGroup& group, const Commit& commit) {
  // Made when the first member that takes it is met; most clients choose the same id, and share one
  // message.
  std::optional<std::string> updates;
  std::string text_id;
  SharedText text;
  for (Monitor* monitor : group.members) {
    if (is_held_back(*monitor->client)) continue;
    if (!updates) updates = encode(*group.request, group.concerned);
    if (updates->empty()) continue;
    if (!text || text_id != monitor->id) {
      text_id = monitor->id;
      std::string message = begin_update(*group.request, monitor->id, commit.id);
      message.reserve(message.size() + updates->size() + kEndOfUpdate.size());
      message += *updates;
      message += kEndOfUpdate;
      text = std::make_shared<const std::string>(std::move(message));
    }
    monitor->client->port->send(text);
  }
}

NetPartsRef WatchedDatabase::take_backlog(MonitorClient& client) {
  const auto found = client.behind.find(database_->generation);
  if (found == client.behind.end()) return nullptr;
  NetPartsRef changes = backlog_.read(found->second);
  drop_backlog(client);
  return changes;
}

NetParts WatchedDatabase::drop_backlog(MonitorClient& client) {
  const auto found = client.behind.find(database_->generation);
  if (found == client.behind.end()) return {};
  NetParts ended = backlog_.close(found->second);
  client.behind.erase(found);
  return ended;
}

// --- rows by their values ---

std::optional<std::vector<RowRef>> WatchedDatabase::find_rows(
    TableIndex table, const std::vector<ValueKey>& keys) const {
  if (keys.size() > kMostKeys) return std::nullopt;
  std::vector<RowRef> rows;
  const auto& lookups = tables_[table].lookups;
  for (const ValueKey& key : keys) {
    const auto lookup = std::find_if(lookups.begin(), lookups.end(), [&](const auto& candidate) {
      return candidate->column() == key.column && candidate->is_ready();
    });
    if (lookup == lookups.end()) return std::nullopt;
    const RowLookup::Rows* found = (*lookup)->find(key.value_hash);
    if (found == nullptr || rows.size() + found->size() > kMostRows) return std::nullopt;
    rows.insert(rows.end(), found->begin(), found->end());
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  return rows;
}

std::vector<std::shared_ptr<RowLookup>> WatchedDatabase::begin_lookups(
    TableIndex table, const std::vector<ValueKey>& keys,
    const std::shared_ptr<const void>& loader) {
  auto& lookups = tables_[table].lookups;
  std::erase_if(lookups, [](const auto& lookup) { return lookup->is_abandoned(); });
  std::vector<std::shared_ptr<RowLookup>> begun;
  for (const ValueKey& key : keys) {
    const bool known = std::any_of(lookups.begin(), lookups.end(), [&](const auto& lookup) {
      return lookup->column() == key.column;
    });
    if (known || !tables_[table].interest.has_values_of(key.column)) continue;
    begun.push_back(lookups.emplace_back(std::make_shared<RowLookup>(key.column, loader)));
  }
  return begun;
}

void WatchedDatabase::drop_unused_lookups(const MonitorRequest& request) {
  for (const MonitoredTable& table : request.tables) {
    WatchedTable& watched = tables_[table.table];
    std::erase_if(watched.lookups, [&](const auto& lookup) {
      return lookup->is_abandoned() || !watched.interest.has_values_of(lookup->column());
    });
  }
}

}  // namespace tandem
