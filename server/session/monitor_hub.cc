#include "server/session/monitor_hub.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "server/session/initial_answer.h"
#include "server/session/monitor_interest.h"
#include "server/session/net_changes.h"
#include "server/session/row_lookup.h"

namespace tandem {

/// One monitor of one session.
struct Monitor {
  ConnectionPort* session = nullptr;
  std::string id;  ///< as JSON text
  MonitorGroup* group = nullptr;
  NetChanges backlog;  ///< not sent yet, because the session's socket was full
  Uuid backlog_id;     ///< of the newest commit in it
  bool backlogged = false;
};

/// Monitors that get the same texts.
struct MonitorGroup {
  DatabaseInfoRef database;
  MonitorRequest request;
  std::size_t hash;  ///< of the request
  std::vector<Monitor*> members;
  std::vector<const RowChange*> concerned;  ///< scratch of on_commit()
};

namespace {

std::string_view method_of(MonitorVersion version) {
  switch (version) {
    case MonitorVersion::kUpdate:
      return "update";
    case MonitorVersion::kUpdate2:
      return "update2";
    case MonitorVersion::kUpdate3:
      return "update3";
  }
  return "";
}

std::string notification(const MonitorRequest& request, const std::string& id,
                         const Uuid& commit_id, std::string_view updates) {
  std::string params;
  params.reserve(id.size() + updates.size() + 64);
  params += '[';
  params += id;
  if (request.version == MonitorVersion::kUpdate3) {
    params += ",\"";
    commit_id.append_to(params);
    params += '"';
  }
  params += ',';
  params += updates;
  params += ']';
  return make_notification(method_of(request.version), params);
}

/// The <table-updates> of these changes, or empty text when the monitors see nothing of them.
template <class Changes, class Get>
std::string encode_changes(const MonitorRequest& request, const Changes& changes, Get&& get) {
  std::string text;
  UpdateWriter writer(request, text);
  for (const auto& item : changes) {
    const RowChange& change = get(item);
    if (const MonitoredTable* table = request.find(change.table)) {
      writer.change(*table, change.before.get(), change.after.get());
    }
  }
  if (writer.empty()) return {};
  writer.end();
  return text;
}

std::string encode_changes(const MonitorRequest& request, const std::vector<RowChange>& changes) {
  return encode_changes(request, changes,
                        [](const RowChange& change) -> const RowChange& { return change; });
}

std::string encode_changes(const MonitorRequest& request,
                           const std::vector<const RowChange*>& changes) {
  return encode_changes(request, changes,
                        [](const RowChange* change) -> const RowChange& { return *change; });
}

void combine(std::size_t& hash, std::size_t value) { hash = hash * 0x9e3779b97f4a7c15ULL + value; }

/// Equal requests have equal hashes.
std::size_t hash_of(const MonitorRequest& request) {
  std::size_t hash = static_cast<std::size_t>(request.version);
  for (const MonitoredTable& table : request.tables) {
    combine(hash, table.table);
    combine(hash, table.columns.size());
    for (const Clause& clause : table.condition.clauses()) {
      combine(hash, clause.column);
      combine(hash, static_cast<std::size_t>(clause.function));
      combine(hash, clause.argument.view().hash());
    }
  }
  return hash;
}

}  // namespace

struct MonitorHub::State {
  /// What is monitored of one database.
  struct Watched {
    std::vector<MonitorInterest> tables;
    std::vector<std::vector<RowLookup>> lookups;  ///< by table, for conditions that change
    std::unordered_multimap<std::size_t, MonitorGroup> groups;  ///< by hash of the request

    const RowLookup& lookup(TableIndex table, ColumnIndex column, const Snapshot& now);
  };

  std::map<std::uint64_t, Watched> databases;  // by generation
  std::unordered_map<const ConnectionPort*, std::map<std::string, std::unique_ptr<Monitor>>>
      sessions;
  std::size_t monitors = 0;
  std::vector<MonitorGroup*> touched;  // scratch of on_commit()
  TextLibrary library;

  Monitor* find(const ConnectionPort& session, const json::value& id) const {
    const auto monitors_of = sessions.find(&session);
    if (monitors_of == sessions.end()) return nullptr;
    const auto found = monitors_of->second.find(to_text(id));
    return found == monitors_of->second.end() ? nullptr : found->second.get();
  }

  void join(Monitor& monitor, const DatabaseInfoRef& database, MonitorRequest request);
  void leave(Monitor& monitor) { leave(monitor, *std::exchange(monitor.group, nullptr)); }
  /// The same when it has joined another group meanwhile.
  void leave(Monitor& monitor, MonitorGroup& group);
  void deliver(MonitorGroup& group, const Commit& commit);
  template <class F>  // void(const Row&)
  static void for_each_row_between(const MonitorCondition& before, const MonitorCondition& after,
                                   TableIndex table, const Snapshot& now, Watched& watched, F&& f);
  static void send_backlog(Monitor& monitor);
};

MonitorHub::MonitorHub() : state_(std::make_unique<State>()) {}

MonitorHub::~MonitorHub() = default;

std::size_t MonitorHub::size() const { return state_->monitors; }

// --- groups ---

void MonitorHub::State::join(Monitor& monitor, const DatabaseInfoRef& database,
                             MonitorRequest request) {
  Watched& watched = databases[database->generation];
  watched.tables.resize(database->schema->tables().size());
  watched.lookups.resize(database->schema->tables().size());
  const std::size_t hash = hash_of(request);
  auto [group, end] = watched.groups.equal_range(hash);
  while (group != end && group->second.request != request) ++group;
  if (group == end) {
    group = watched.groups.emplace(hash, MonitorGroup{database, std::move(request), hash, {}, {}});
    for (const MonitoredTable& table : group->second.request.tables)
      watched.tables[table.table].add(group->second, table);
  }
  group->second.members.push_back(&monitor);
  monitor.group = &group->second;
}

void MonitorHub::State::leave(Monitor& monitor, MonitorGroup& group) {
  std::erase(group.members, &monitor);
  if (!group.members.empty()) return;
  const auto watched = databases.find(group.database->generation);
  for (const MonitoredTable& table : group.request.tables)
    watched->second.tables[table.table].remove(group, table);
  auto [at, end] = watched->second.groups.equal_range(group.hash);
  while (&at->second != &group) ++at;
  watched->second.groups.erase(at);
  if (watched->second.groups.empty()) databases.erase(watched);
}

const RowLookup& MonitorHub::State::Watched::lookup(TableIndex table, ColumnIndex column,
                                                    const Snapshot& now) {
  std::vector<RowLookup>& held = lookups[table];
  const auto found = std::find_if(held.begin(), held.end(), [&](const RowLookup& candidate) {
    return candidate.column() == column;
  });
  return found != held.end() ? *found : held.emplace_back(column, now.tables[table]);
}

// --- monitors come, change and go ---

void MonitorHub::add(ConnectionPort& session, const json::value& id, const json::value& request_id,
                     MonitorRequest request, MonitorStart start) {
  std::string head = begin_reply(request_id);
  const bool since = request.version == MonitorVersion::kUpdate3;
  if (since) {
    head += start.since ? "[true,\"" : "[false,\"";
    start.last_id.append_to(head);
    head += "\",";
  }
  const std::string tail = since ? "]}" : "}";
  if (start.since) {
    NetChanges missed;
    for (const CommitRef& commit : *start.since) {
      for (const RowChange& change : commit->changes) missed.add(change);
    }
    const std::string updates = encode_changes(request, missed.take());
    session.send(head + (updates.empty() ? "{}" : updates) + tail);
  } else {
    session.send(std::make_unique<InitialAnswer>(std::move(head), request,
                                                 std::move(start.snapshot), tail, state_->library));
  }

  auto monitor = std::make_unique<Monitor>();
  monitor->session = &session;
  monitor->id = to_text(id);
  state_->join(*monitor, start.database, std::move(request));
  state_->sessions[&session].emplace(monitor->id, std::move(monitor));
  ++state_->monitors;
}

/// Calls f once for each row that only one of two conditions may match.
template <class F>
void MonitorHub::State::for_each_row_between(const MonitorCondition& before,
                                             const MonitorCondition& after, TableIndex table,
                                             const Snapshot& now, Watched& watched, F&& f) {
  std::vector<ValueKey> keys;
  bool all = before.is_always() || after.is_always();
  if (!all) {
    for (const auto& clauses : {before.without(after), after.without(before)}) {
      for (const Clause& clause : clauses) {
        const std::optional<ValueKey> key = ValueKey::of(clause);
        all = all || !key;
        if (key) keys.push_back(*key);
      }
    }
  }
  if (all) return now.tables[table].for_each(f);
  std::vector<const Row*> rows;
  for (const ValueKey& key : keys) {
    watched.lookup(table, key.column, now).for_each(key.value_hash, [&](const Row& row) {
      rows.push_back(&row);
    });
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  for (const Row* row : rows) f(*row);
}

bool MonitorHub::change(ConnectionPort& session, const json::value& id, const json::value& new_id,
                        const MonitorRequest& changed, const MonitorStart& now) {
  Monitor* monitor = state_->find(session, id);
  if (monitor == nullptr || monitor->group->database != now.database) return false;
  State::send_backlog(*monitor);  // it is about the old conditions

  State::Watched& watched = state_->databases.find(now.database->generation)->second;
  // Whether a row comes or goes is decided here, so the writer is given tables without conditions.
  MonitorRequest unconditional = changed;
  for (MonitoredTable& table : unconditional.tables) table.condition = MonitorCondition::always();
  std::string updates;
  UpdateWriter writer(unconditional, updates);
  for (std::size_t i = 0; i < changed.tables.size(); ++i) {
    const MonitorCondition& before = monitor->group->request.tables[i].condition;
    const MonitorCondition& after = changed.tables[i].condition;
    if (before == after) continue;
    const MonitoredTable& table = unconditional.tables[i];
    State::for_each_row_between(before, after, table.table, now.snapshot, watched,
                                [&](const Row& row) {
                                  const bool was = before.matches(row);
                                  const bool is = after.matches(row);
                                  if (is && !was) writer.change(table, nullptr, &row);
                                  if (was && !is) writer.change(table, &row, nullptr);
                                });
  }
  const bool seen = !writer.empty();
  writer.end();

  auto& monitors = state_->sessions[&session];
  auto node = monitors.extract(monitor->id);
  monitor->id = to_text(new_id);
  if (seen) session.send(notification(changed, monitor->id, now.last_id, updates));
  if (MonitorGroup& left = *monitor->group; left.request != changed) {
    state_->join(*monitor, now.database, changed);
    state_->leave(*monitor, left);  // last, so that what the database's monitors share stays
  }
  node.key() = monitor->id;
  monitors.insert(std::move(node));
  return true;
}

bool MonitorHub::cancel(ConnectionPort& session, const json::value& id) {
  Monitor* monitor = state_->find(session, id);
  if (monitor == nullptr) return false;
  state_->leave(*monitor);
  const auto monitors = state_->sessions.find(&session);
  monitors->second.erase(monitor->id);
  if (monitors->second.empty()) state_->sessions.erase(monitors);
  --state_->monitors;
  return true;
}

void MonitorHub::remove_session(ConnectionPort& session) {
  const auto monitors = state_->sessions.find(&session);
  if (monitors == state_->sessions.end()) return;
  for (auto& [id, monitor] : monitors->second) state_->leave(*monitor);
  state_->monitors -= monitors->second.size();
  state_->sessions.erase(monitors);
}

void MonitorHub::remove_database(const DatabaseInfo& database) {
  const auto watched = state_->databases.find(database.generation);
  if (watched == state_->databases.end()) return;
  std::vector<Monitor*> canceled;
  for (const auto& [hash, group] : watched->second.groups) {
    canceled.insert(canceled.end(), group.members.begin(), group.members.end());
  }
  for (Monitor* monitor : canceled) {
    monitor->session->send(make_notification("monitor_canceled", '[' + monitor->id + ']'));
    auto& monitors = state_->sessions[monitor->session];
    state_->leave(*monitor);
    monitors.erase(std::string(monitor->id));
    --state_->monitors;
  }
}

// --- updates ---

void MonitorHub::on_commit(const DatabaseInfo& database, const Commit& commit) {
  const auto watched = state_->databases.find(database.generation);
  if (watched == state_->databases.end()) return;
  for (const RowChange& change : commit.changes) {
    for (RowLookup& lookup : watched->second.lookups[change.table])
      lookup.change(change.before.get(), change.after.get());
    watched->second.tables[change.table].for_each(
        change.before.get(), change.after.get(), [&](MonitorGroup& group) {
          if (!group.concerned.empty() && group.concerned.back() == &change) return;
          if (group.concerned.empty()) state_->touched.push_back(&group);
          group.concerned.push_back(&change);
        });
  }
  for (MonitorGroup* group : state_->touched) {
    state_->deliver(*group, commit);
    group->concerned.clear();
  }
  state_->touched.clear();
}

void MonitorHub::State::deliver(MonitorGroup& group, const Commit& commit) {
  // Made when the first member that takes it is met; most clients choose the same id, and share one
  // message.
  std::optional<std::string> updates;
  std::string text_id;
  SharedText text;
  for (Monitor* monitor : group.members) {
    // Who is behind hears of further commits merged, when it has caught up.
    if (monitor->backlogged || monitor->session->is_behind()) {
      monitor->backlogged = true;
      monitor->backlog_id = commit.id;
      for (const RowChange* change : group.concerned) monitor->backlog.add(*change);
      continue;
    }
    if (!updates) updates = encode_changes(group.request, group.concerned);
    if (updates->empty()) continue;
    if (!text || text_id != monitor->id) {
      text_id = monitor->id;
      text = std::make_shared<const std::string>(
          notification(group.request, monitor->id, commit.id, *updates));
    }
    monitor->session->send(text);
  }
}

void MonitorHub::State::send_backlog(Monitor& monitor) {
  if (!std::exchange(monitor.backlogged, false)) return;
  const MonitorRequest& request = monitor.group->request;
  const std::string updates = encode_changes(request, monitor.backlog.take());
  if (!updates.empty())
    monitor.session->send(notification(request, monitor.id, monitor.backlog_id, updates));
}

void MonitorHub::on_writable(ConnectionPort& session) {
  const auto monitors = state_->sessions.find(&session);
  if (monitors == state_->sessions.end()) return;
  for (auto& [id, monitor] : monitors->second) State::send_backlog(*monitor);
}

}  // namespace tandem
