// How commits leave the writer: to the logs, to the backups, and through the gates to the clients.

#include <algorithm>
#include <utility>

#include "server/writer/commit_stream.h"
#include "server/writer/database_server.h"
#include "server/writer/stand_in.h"

namespace tandem {
namespace {

/// New records are seen in the index of "_Server" after so long at the latest.
constexpr std::int64_t kIndexLagMs = 1000;
/// A client that looks for the active server while there is none waits for so long at most: it
/// would ask all servers at once, and then again after 1, 2, 4 and 8 s.
constexpr std::int64_t kMostWaitMs = 4000;
/// Reads wait for so long behind a commit whose gate does not open.
constexpr std::int64_t kReadsWaitMs = 100;

}  // namespace

void DatabaseServer::flush() {
  // Observers and replies may cause further commits (status columns); they join the next round.
  while (directory_changed_ || !outgoing_.empty()) {
    if (directory_changed_) publish_directory();
    writing_.swap(outgoing_);
    std::map<ServedDatabase*, Error> failed = write_logs();
    std::vector<Outgoing> batch;
    batch.swap(writing_);
    for (Outgoing& outgoing : batch)
      if (outgoing.monitor) outgoing.start = start_of(*outgoing.monitor);
    for (auto& [database, error] : failed) {
      // Taking rows back may fulfil the condition of a transaction that waits.
      database->blocked.mark_all();
      retry_blocked(*database);
    }
    // One moment for the whole batch: its commits have come into the log together.
    const std::int64_t now_us = std::any_of(batch.begin(), batch.end(),
                                            [](const Outgoing& o) { return o.commit != nullptr; })
                                    ? ports_.clock.monotonic_us()
                                    : 0;
    for (Outgoing& outgoing : batch) {
      const auto failure = failed.find(outgoing.database);
      logged(outgoing, failure == failed.end() ? nullptr : &failure->second, now_us);
    }
    publish_waiting();
    for (Outgoing& outgoing : batch) {
      const auto waiting = waiting_.find(outgoing.database);
      if (waiting != waiting_.end()) {
        if (outgoing.only_reads()) look_past_gates_at(waiting->second.front().logged_ms());
        waiting->second.push_back(std::move(outgoing));
      } else if (!gate_is_open(outgoing, now_us)) {
        waiting_[outgoing.database].push_back(std::move(outgoing));
        schedule_wake();
      } else {
        publish(outgoing, now_us);
      }
    }
  }
  publish_waiting();
  for (const ClientThreadPort& thread : threads_) thread.mailbox->flush();
  // Not before the mailboxes: clients get a commit before its reply, and a disk may be quicker.
  for (DurableReply& reply : std::exchange(durable_replies_, {})) sync_and_reply(std::move(reply));
}

std::map<ServedDatabase*, Error> DatabaseServer::write_logs() {
  std::map<ServedDatabase*, Error> failed;
  for (auto& [name, database] : databases_) {
    StoredDatabase& stored = *database->stored;
    if (!stored.has_staged()) continue;
    const Result<void> written = writer_.wait_for([&stored] { return stored.write(); });
    stored.settle(written);
    if (written) continue;
    failed.emplace(database.get(), written.error());
    // Its commits are out of the rows already: a stand-in, should the next disk hang, must not take
    // them out again.
    for (Outgoing& outgoing : writing_)
      if (outgoing.database == database.get()) outgoing.commit = nullptr;
  }
  return failed;
}

void DatabaseServer::logged(Outgoing& outgoing, const Error* failure, std::int64_t now_us) {
  if (failure != nullptr) {
    // Transactions that wrote nothing get the error, too: they may have seen what was taken back.
    if (outgoing.call && outgoing.call->forwarded) {
      outgoing.call->lost = records_lost();
    } else if (outgoing.call) {
      outgoing.call->result.results.emplace_back(*failure);
      outgoing.call->height.reset();  // its record does not come
      outgoing.durable = false;
    }
  }
  if (outgoing.commit) {
    ServedDatabase& database = *outgoing.database;
    outgoing.logged_us = now_us;
    database.gate.logged(outgoing.commit->position);
    if (!database.followers.empty()) {
      database.followers.logged(outgoing.commit->position.index, now_us);
      database.followers.tell(stream_text(database.info->name, outgoing.commit));
    }
    for (CommitObserver* observer : observers_) observer->on_logged(database, outgoing.commit);
    if (advertised_ != AdvertisedRole::kNone && !database.built_in && !index_due_ms_) {
      index_due_ms_ = outgoing.logged_ms() + kIndexLagMs;
      schedule_wake();
    }
  }
  if (outgoing.written) {
    outgoing.written(failure != nullptr ? Result<void>(*failure) : Result<void>());
  }
}

bool DatabaseServer::gate_is_open(const Outgoing& outgoing, std::int64_t now_us) {
  if (!outgoing.commit || outgoing.database->backup) return true;
  ServedDatabase& database = *outgoing.database;
  if (database.stored->log() == nullptr || database.gate.options().replicas == 0) return true;
  // After the lease no acknowledgement counts: backups may follow another active by now. The gate
  // opens when the lease is renewed.
  if (!database.right->holds(ports_.clock)) return false;
  return database.gate.open(outgoing.commit->position, outgoing.logged_ms(), now_us / 1000);
}

std::int64_t DatabaseServer::waiting_ms(const ServedDatabase& database) const {
  const auto found = waiting_.find(&database);
  return found == waiting_.end() ? 0
                                 : ports_.clock.monotonic_ms() - found->second.front().logged_ms();
}

void DatabaseServer::publish_waiting() {
  if (waiting_.empty()) return;
  const std::int64_t now_us = ports_.clock.monotonic_us();
  bool moved = false;
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    std::deque<Outgoing>& queue = it->second;
    while (!queue.empty() && gate_is_open(queue.front(), now_us)) {
      Outgoing outgoing = std::move(queue.front());
      queue.pop_front();
      publish(outgoing, now_us);
      moved = true;
    }
    it = queue.empty() ? waiting_.erase(it) : std::next(it);
  }
  if (moved && !waiting_.empty()) schedule_wake();  // the first of each queue has its own deadline
}

void DatabaseServer::look_past_gates_at(std::int64_t logged_ms) {
  if (past_gates_ms_) return;
  past_gates_ms_ = std::max(logged_ms, looked_past_gates_ms_) + kReadsWaitMs;
  schedule_wake();
}

void DatabaseServer::look_past_gates() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  if (!past_gates_ms_ || now < *past_gates_ms_) return;
  past_gates_ms_.reset();
  flush();
  std::int64_t oldest_ms = now;
  for (const auto& [database, queue] : waiting_)
    oldest_ms = std::min(oldest_ms, queue.front().logged_ms());
  if (waiting_.empty()) return;
  // The oldest commit has not waited for long: its gate may still open in time.
  if (now < oldest_ms + kReadsWaitMs) return look_past_gates_at(oldest_ms);
  const bool left = stand_in_->answer_past_gates();
  // However much waits, others get ten times as much of the writer's time as this look took.
  const std::int64_t end = ports_.clock.monotonic_ms();
  looked_past_gates_ms_ = end + 10 * (end - now);
  if (left) look_past_gates_at(oldest_ms);
}

void DatabaseServer::release(ServedDatabase& database, const Error* refused) {
  const auto waiting = waiting_.find(&database);
  if (waiting == waiting_.end()) return;
  std::deque<Outgoing> queue = std::move(waiting->second);
  waiting_.erase(waiting);
  const std::int64_t now_us = ports_.clock.monotonic_us();
  for (Outgoing& outgoing : queue) {
    if (refused != nullptr && outgoing.call && outgoing.commit) outgoing.call->refused = *refused;
    publish(outgoing, now_us);
  }
}

void DatabaseServer::count(const Outgoing& outgoing, std::int64_t now_us) {
  if (outgoing.call == nullptr || outgoing.database == nullptr || outgoing.call->canceled) return;
  DatabaseFigures& figures = *outgoing.database->figures;
  DatabaseFigures::count(figures.transactions);
  const TransactCall& call = *outgoing.call;
  const bool failed_elsewhere = (call.forwarded && call.forwarded->failed) || !call.lost.empty();
  if (call.refused || call.result.failed() || failed_elsewhere) {
    DatabaseFigures::count(figures.failed);
  } else if (outgoing.is_timed() && !outgoing.durable) {
    figures.commits.add(now_us - outgoing.call->received_us);
  }
}

void DatabaseServer::publish(Outgoing& outgoing, std::int64_t now_us) {
  // A disk may have hung for longer than the lease lasted.
  if (outgoing.call && outgoing.commit && !outgoing.call->refused &&
      !outgoing.database->right->holds(ports_.clock))
    outgoing.call->refused = right_ended();
  count(outgoing, now_us);
  if (outgoing.commit) {
    for (const ClientThreadPort& port : threads_) {
      port.mailbox->put([thread = port.thread, database = outgoing.database->info,
                         commit = outgoing.commit] { thread->on_commit(database, commit); });
    }
  }
  if (outgoing.call) {
    if (outgoing.durable && outgoing.database->stored->log() != nullptr) {
      DatabaseFiguresRef figures = outgoing.is_timed() ? outgoing.database->figures : nullptr;
      durable_replies_.push_back({outgoing.database->stored->log(), std::move(outgoing.call),
                                  outgoing.commit ? outgoing.database->right : nullptr,
                                  std::move(figures)});
    } else {
      Mailbox& mailbox = *outgoing.call->mailbox;
      mailbox.put([call = std::move(outgoing.call)] { call->done(); });
    }
  }
  if (outgoing.monitor) {
    Mailbox& mailbox = *outgoing.monitor->mailbox;
    mailbox.put(
        [start = std::move(*outgoing.start), monitor = std::move(outgoing.monitor)]() mutable {
          monitor->started(std::move(start));
        });
  }
  if (outgoing.task) outgoing.mailbox->put(std::move(outgoing.task));
}

void DatabaseServer::sync_and_reply(DurableReply reply) {
  // std::function copies its target: the call rides in a shared box.
  auto box = std::make_shared<std::unique_ptr<TransactCall>>(std::move(reply.call));
  TaskRunner& runner = (*box)->mailbox->runner();
  ports_.syncer.sync(reply.log,
                     [box, &runner, &clock = ports_.clock, right = std::move(reply.right),
                      figures = std::move(reply.figures)](const Result<void>& synced) {
                       TransactCall& call = **box;
                       if (!call.refused && right != nullptr && !right->holds(clock))
                         call.refused = right_ended();
                       if (synced && !call.refused && figures != nullptr)
                         figures->commits.add(clock.monotonic_us() - call.received_us);
                       runner.post([box, synced] {
                         if (!synced) (*box)->result.results.emplace_back(synced.error());
                         (*box)->done();
                       });
                     });
}

void DatabaseServer::reply(Mailbox& mailbox, Task task) {
  Outgoing outgoing;
  outgoing.mailbox = &mailbox;
  outgoing.task = std::move(task);
  outgoing_.push_back(std::move(outgoing));
}

void DatabaseServer::start_monitor(std::unique_ptr<NewMonitor> monitor) {
  if (shows_published_) return stand_in_->start(std::move(monitor));
  if (monitor->database == "_Server") {
    show_roles();
    if (makes_newcomers_wait()) {
      monitor->let_in_ms = ports_.clock.monotonic_ms() + kMostWaitMs;
      newcomers_.push_back(std::move(monitor));
      return schedule_wake();
    }
  }
  start(std::move(monitor));
}

void DatabaseServer::start(std::unique_ptr<NewMonitor> monitor) {
  // The answer comes behind the commits that its snapshot holds; these may wait for a gate.
  Outgoing outgoing;
  outgoing.database = find(monitor->database);
  outgoing.monitor = std::move(monitor);
  outgoing_.push_back(std::move(outgoing));
  // The snapshot must not hold commits that a failing log write would take back, nor later ones.
  flush();
}

Result<MonitorStart> DatabaseServer::start_of(const NewMonitor& monitor,
                                              std::size_t unpublished) const {
  const ServedDatabase* const served = find(monitor.database);
  if (served == nullptr) return Error{"unknown database", "", std::nullopt};
  const History& history = served->stored->history();
  MonitorStart start;
  start.database = served->info;
  start.snapshot = served->stored->database().snapshot();
  // A short history may not know the id of what is published any more. Only monitor_cond_since
  // needs it.
  if (unpublished <= history.size()) start.last_id = history.id_before(unpublished);
  if (monitor.since) start.since = history.since(*monitor.since);
  if (start.since) {
    if (start.since->size() < unpublished) {
      start.since.reset();  // the commit with this id is not published
    } else {
      start.since->resize(start.since->size() - unpublished);
    }
  }
  return start;
}

}  // namespace tandem
