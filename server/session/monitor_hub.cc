#include "server/session/monitor_hub.h"

#include <utility>

#include "server/session/backlog_answer.h"
#include "server/session/condition_change.h"
#include "server/session/end_of_monitors.h"
#include "server/session/remains.h"
#include "server/session/resume_answer.h"

namespace tandem {

namespace {

/// So many monitors of a session that has gone, or of a database, end in one task.
constexpr std::size_t kEndsAtOnce = 1000;

/// The keys of clauses, if all have one.
std::optional<std::vector<ValueKey>> keys_of(const std::vector<Clause>& clauses) {
  std::vector<ValueKey> keys;
  keys.reserve(clauses.size());
  for (const Clause& clause : clauses) {
    const std::optional<ValueKey> key = ValueKey::of(clause);
    if (!key) return std::nullopt;
    keys.push_back(*key);
  }
  return keys;
}

/// The keys that each row has of which only one condition matches, if there are such.
std::optional<std::vector<ValueKey>> keys_between(const MonitorCondition& before,
                                                  const MonitorCondition& after) {
  if (before.is_always() || after.is_always()) return std::nullopt;
  auto keys = keys_of(before.without(after));
  const auto more = keys_of(after.without(before));
  if (!keys || !more) return std::nullopt;
  keys->insert(keys->end(), more->begin(), more->end());
  return keys;
}

}  // namespace

// --- who and what ---

WatchedDatabase& MonitorHub::watch(const DatabaseInfoRef& database) {
  return databases_.try_emplace(database->generation, database).first->second;
}

WatchedDatabase* MonitorHub::find(std::uint64_t generation) {
  const auto found = databases_.find(generation);
  return found == databases_.end() ? nullptr : &found->second;
}

MonitorClient* MonitorHub::find(const ConnectionPort& session) const {
  const auto found = clients_.find(&session);
  return found == clients_.end() ? nullptr : found->second.get();
}

bool MonitorHub::has_unfinished_answer(const ConnectionPort& session) const {
  const MonitorClient* client = find(session);
  return client != nullptr && client->has_unfinished_answer();
}

// --- monitors come, change and go ---

void MonitorHub::add(ConnectionPort& session, MonitorNumber number, const JsonId& id,
                     const JsonId& request_id, MonitorRequestRef request, MonitorStart start) {
  ClientRef& client = clients_[&session];
  if (client == nullptr) {
    client = std::make_shared<MonitorClient>();
    client->port = &session;
  }
  const std::uint64_t generation = start.database->generation;
  send_backlog(client, generation, number);  // the first answer holds all that it says

  std::string head = begin_reply(request_id);
  const bool since = request->version == MonitorVersion::kUpdate3;
  if (since) {
    head += start.since ? "[true,\"" : "[false,\"";
    start.last_id.append_to(head);
    head += "\",";
  }
  std::string tail = since ? "]}" : "}";
  WatchedDatabase& watched = watch(start.database);
  std::unique_ptr<TextSource> answer;
  if (start.since) {
    answer = std::make_unique<ResumeAnswer>(std::move(head), request, std::move(*start.since),
                                            std::move(tail), client->answers);
  } else {
    InitialAnswer::FoundRows found;
    for (const MonitoredTable& table : request->tables) {
      const auto keys =
          table.condition.is_always() ? std::nullopt : keys_of(table.condition.clauses());
      found.push_back(keys ? watched.find_rows(table.table, *keys) : std::nullopt);
    }
    answer = std::make_unique<InitialAnswer>(std::move(head), request, std::move(start.snapshot),
                                             std::move(found), std::move(tail), library_,
                                             client->answers);
  }

  Monitor& monitor = client->monitors[number];
  monitor.client = client.get();
  monitor.number = number;
  monitor.id = id.text();
  watched.join(monitor, std::move(request));
  ++monitors_;
  session.send(std::move(answer));
}

bool MonitorHub::change(ConnectionPort& session, MonitorNumber number, const JsonId& new_id,
                        MonitorRequestRef changed, const MonitorStart& now) {
  const auto client = clients_.find(&session);
  if (client == clients_.end()) return false;
  const auto found = client->second->monitors.find(number);
  if (found == client->second->monitors.end() || found->second.group->database != now.database)
    return false;
  Monitor& monitor = found->second;
  // It is about the old conditions.
  send_backlog(client->second, now.database->generation, number);

  WatchedDatabase& watched = *find(now.database->generation);
  const MonitorRequestRef before = monitor.group->request;
  std::vector<ConditionChange::Table> tables;
  std::vector<std::optional<std::vector<ValueKey>>> keys;
  for (std::size_t i = 0; i < changed->tables.size(); ++i) {
    const MonitoredTable& table = changed->tables[i];
    const MonitorCondition& old_condition = before->tables[i].condition;
    if (old_condition == table.condition) continue;
    keys.push_back(keys_between(old_condition, table.condition));
    tables.push_back(
        {i, keys.back() ? watched.find_rows(table.table, *keys.back()) : std::nullopt, {}});
  }
  monitor.id = new_id.text();
  if (tables.empty()) return true;
  watched.move(monitor, changed);
  const auto loader = std::make_shared<int>();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (tables[i].rows || !keys[i]) continue;
    tables[i].lookups =
        watched.begin_lookups(changed->tables[tables[i].place].table, *keys[i], loader);
  }
  std::string head = begin_update(*changed, monitor.id, now.last_id);
  session.send(std::make_unique<ConditionChange>(std::move(head), before, std::move(changed),
                                                 now.snapshot, std::move(tables), loader,
                                                 client->second->answers));
  return true;
}

void MonitorHub::end(Monitor& monitor) {
  const std::uint64_t generation = monitor.group->database->generation;
  MonitorClient& client = *monitor.client;
  WatchedDatabase& watched = *find(generation);
  watched.leave(monitor);
  client.monitors.erase(monitor.number);
  --monitors_;
  if (client.port != nullptr && client.any_monitor_of(generation) == nullptr)
    free_in_turns(client.port->shard(), remains_of(watched.drop_backlog(client)));
  if (watched.empty()) databases_.erase(generation);
}

bool MonitorHub::cancel(ConnectionPort& session, MonitorNumber number) {
  MonitorClient* client = find(session);
  if (client == nullptr) return false;
  const auto monitor = client->monitors.find(number);
  if (monitor == client->monitors.end()) return false;
  end(monitor->second);
  return true;
}

void MonitorHub::remove_session(ConnectionPort& session) {
  const auto found = clients_.find(&session);
  if (found == clients_.end()) return;
  const ClientRef client = std::move(found->second);
  clients_.erase(found);
  client->port = nullptr;
  while (!client->behind.empty()) {
    NetParts ended = find(client->behind.begin()->first)->drop_backlog(*client);
    free_in_turns(session.shard(), remains_of(std::move(ended)));
  }
  remove_some(client, session.shard());
}

void MonitorHub::remove_some(const ClientRef& client, Shard& shard) {
  for (std::size_t i = 0; i < kEndsAtOnce && !client->monitors.empty(); ++i)
    end(client->monitors.begin()->second);
  if (client->monitors.empty()) return;
  shard.post([this, client, &shard] { remove_some(client, shard); });
}

void MonitorHub::remove_database(const DatabaseInfo& database) {
  const std::uint64_t generation = database.generation;
  WatchedDatabase* watched = find(generation);
  if (watched == nullptr) return;
  for (const auto& [port, client] : clients_) {
    if (client->any_monitor_of(generation) == nullptr) continue;
    Shard& shard = client->port->shard();
    free_in_turns(shard, remains_of(watched->drop_backlog(*client)));
    client->port->send(std::make_unique<EndOfMonitors>(
        client, generation, [this, client = client, generation, &shard] {
          shard.post(
              [this, client, generation, &shard] { remove_some(client, generation, shard); });
        }));
  }
}

void MonitorHub::remove_some(const ClientRef& client, std::uint64_t generation, Shard& shard) {
  for (std::size_t i = 0; i < kEndsAtOnce; ++i) {
    Monitor* monitor = client->any_monitor_of(generation);
    if (monitor == nullptr) return;
    end(*monitor);
  }
  shard.post([this, client, generation, &shard] { remove_some(client, generation, shard); });
}

// --- updates ---

void MonitorHub::on_commit(const DatabaseInfo& database, const Commit& commit) {
  WatchedDatabase* watched = find(database.generation);
  if (watched == nullptr) return;
  for (const MonitorClient* client : watched->on_commit(commit))
    send_backlog(clients_.at(client->port), database.generation);
}

void MonitorHub::send_backlog(const ClientRef& client, std::uint64_t generation,
                              std::optional<MonitorNumber> changing) {
  if (!client->behind.contains(generation)) return;
  WatchedDatabase& watched = *find(generation);
  NetPartsRef changes = watched.take_backlog(*client);
  client->port->send(std::make_unique<BacklogAnswer>(client, generation, std::move(changes),
                                                     watched.newest_id(), changing));
}

void MonitorHub::on_writable(ConnectionPort& session) {
  const auto found = clients_.find(&session);
  if (found == clients_.end() || found->second->behind.empty()) return;
  const ClientRef client = found->second;
  std::vector<std::uint64_t> generations;
  for (const auto& [generation, cursor] : client->behind) generations.push_back(generation);
  for (const std::uint64_t generation : generations) send_backlog(client, generation);
}

}  // namespace tandem
