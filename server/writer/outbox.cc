#include "server/writer/outbox.h"

#include <algorithm>
#include <utility>

#include "server/writer/commit_stream.h"
#include "server/writer/monitor_start.h"

namespace tandem {
namespace {

/// Reads wait for so long behind a commit whose gate does not open.
constexpr std::int64_t kReadsWaitMs = 100;

}  // namespace

Outbox::Outbox(WriterContext& context, Syncer& syncer, Hooks hooks)
    : context_(context),
      clock_(context.clock),
      catalogue_(context.catalogue),
      syncer_(syncer),
      hooks_(std::move(hooks)) {}

void Outbox::add_client_thread(Mailbox& mailbox, ClientThread& thread) {
  threads_.push_back({&mailbox, &thread});
}

void Outbox::deliver(bool own) {
  for (const ClientThreadPort& thread : threads_) thread.mailbox->deliver(own);
}

void Outbox::hand_over() {
  for (const ClientThreadPort& thread : threads_) thread.mailbox->flush();
}

TaskRunner& Outbox::runner_or(TaskRunner& other) const {
  return threads_.empty() ? other : threads_.front().mailbox->runner();
}

void Outbox::put(Outgoing outgoing) {
  if (outgoing.commit) outgoing.database->blocked.mark_touched(outgoing.commit->changes);
  outgoing_.push_back(std::move(outgoing));
}

void Outbox::reply(Mailbox& mailbox, Task task) {
  Outgoing outgoing;
  outgoing.mailbox = &mailbox;
  outgoing.task = std::move(task);
  outgoing_.push_back(std::move(outgoing));
}

void Outbox::tell_role_change() {
  for (const ClientThreadPort& port : threads_)
    reply(*port.mailbox, [thread = port.thread] { thread->on_role_change(); });
}

void Outbox::tell_databases_changed() {
  for (CommitObserver* observer : observers_) observer->on_databases_changed();
}

void Outbox::tell_directory() {
  const DirectoryRef directory = catalogue_.renew_directory();
  tell_databases_changed();
  for (const ClientThreadPort& port : threads_) {
    port.mailbox->put([thread = port.thread, directory] { thread->on_directory(directory); });
  }
}

void Outbox::flush() {
  // Observers and replies may cause further commits (status columns); they join the next round.
  while (catalogue_.has_changed() || !outgoing_.empty()) {
    if (catalogue_.has_changed()) tell_directory();
    writing_.swap(outgoing_);
    std::map<ServedDatabase*, Error> failed = write_logs();
    std::vector<Outgoing> batch;
    batch.swap(writing_);
    for (Outgoing& outgoing : batch)
      if (outgoing.monitor) outgoing.start = monitor_start(catalogue_, *outgoing.monitor);
    for (const auto& [database, error] : failed) hooks_.taken_back(*database);
    // One moment for the whole batch: its commits have come into the log together.
    const std::int64_t now_us = std::any_of(batch.begin(), batch.end(),
                                            [](const Outgoing& o) { return o.commit != nullptr; })
                                    ? clock_.monotonic_us()
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
        context_.schedule_wake();
      } else {
        publish(outgoing, now_us);
      }
    }
  }
  publish_waiting();
  hand_over();
  // Not before the mailboxes: clients get a commit before its reply, and a disk may be quicker.
  for (DurableReply& reply : std::exchange(durable_replies_, {})) sync_and_reply(std::move(reply));
}

std::map<ServedDatabase*, Error> Outbox::write_logs() {
  std::map<ServedDatabase*, Error> failed;
  for (const auto& [name, database] : catalogue_.databases()) {
    StoredDatabase& stored = *database->stored;
    if (!stored.has_staged()) continue;
    const Result<void> written = context_.writer.wait_for([&stored] { return stored.write(); });
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

void Outbox::logged(Outgoing& outgoing, const Error* failure, std::int64_t now_us) {
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
  }
  if (outgoing.written) {
    outgoing.written(failure != nullptr ? Result<void>(*failure) : Result<void>());
  }
}

bool Outbox::gate_is_open(const Outgoing& outgoing, std::int64_t now_us) {
  if (!outgoing.commit || outgoing.database->is_backup()) return true;
  ServedDatabase& database = *outgoing.database;
  if (database.stored->log() == nullptr || database.gate.options().replicas == 0) return true;
  // After the lease no acknowledgement counts: backups may follow another active by now. The gate
  // opens when the lease is renewed.
  if (!database.may_write(clock_)) return false;
  return database.gate.open(outgoing.commit->position, outgoing.logged_ms(), now_us / 1000);
}

std::int64_t Outbox::waiting_ms(const ServedDatabase& database) const {
  const auto found = waiting_.find(&database);
  return found == waiting_.end() ? 0 : clock_.monotonic_ms() - found->second.front().logged_ms();
}

void Outbox::publish_waiting() {
  if (waiting_.empty()) return;
  const std::int64_t now_us = clock_.monotonic_us();
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
  if (moved && !waiting_.empty())
    context_.schedule_wake();  // the first of each queue has its own deadline
}

void Outbox::look_past_gates_at(std::int64_t logged_ms) {
  if (past_gates_ms_) return;
  past_gates_ms_ = std::max(logged_ms, looked_past_gates_ms_) + kReadsWaitMs;
  context_.schedule_wake();
}

void Outbox::look_past_gates() {
  const std::int64_t now = clock_.monotonic_ms();
  if (!past_gates_ms_ || now < *past_gates_ms_) return;
  past_gates_ms_.reset();
  flush();
  std::int64_t oldest_ms = now;
  for (const auto& [database, queue] : waiting_)
    oldest_ms = std::min(oldest_ms, queue.front().logged_ms());
  if (waiting_.empty()) return;
  // The oldest commit has not waited for long: its gate may still open in time.
  if (now < oldest_ms + kReadsWaitMs) return look_past_gates_at(oldest_ms);
  const bool left = hooks_.answer_past_gates();
  // However much waits, others get ten times as much of the writer's time as this look took.
  const std::int64_t end = clock_.monotonic_ms();
  looked_past_gates_ms_ = end + 10 * (end - now);
  if (left) look_past_gates_at(oldest_ms);
}

void Outbox::release(ServedDatabase& database, const Error* refused) {
  const auto waiting = waiting_.find(&database);
  if (waiting == waiting_.end()) return;
  std::deque<Outgoing> queue = std::move(waiting->second);
  waiting_.erase(waiting);
  const std::int64_t now_us = clock_.monotonic_us();
  for (Outgoing& outgoing : queue) {
    if (refused != nullptr && outgoing.call && outgoing.commit) outgoing.call->refused = *refused;
    publish(outgoing, now_us);
  }
}

void Outbox::count(const Outgoing& outgoing, std::int64_t now_us) {
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

void Outbox::publish(Outgoing& outgoing, std::int64_t now_us) {
  // A disk may have hung for longer than the lease lasted.
  if (outgoing.call && outgoing.commit && !outgoing.call->refused &&
      !outgoing.database->may_write(clock_))
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
                                  outgoing.commit ? outgoing.database->right() : nullptr,
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

void Outbox::sync_and_reply(DurableReply reply) {
  // std::function copies its target: the call rides in a shared box.
  auto box = std::make_shared<std::unique_ptr<TransactCall>>(std::move(reply.call));
  TaskRunner& runner = (*box)->mailbox->runner();
  syncer_.sync(reply.log, [box, &runner, &clock = clock_, right = std::move(reply.right),
                           figures = std::move(reply.figures)](const Result<void>& synced) {
    TransactCall& call = **box;
    if (!call.refused && right != nullptr && !right->holds(clock)) call.refused = right_ended();
    if (synced && !call.refused && figures != nullptr)
      figures->commits.add(clock.monotonic_us() - call.received_us);
    runner.post([box, synced] {
      if (!synced) (*box)->result.results.emplace_back(synced.error());
      (*box)->done();
    });
  });
}

std::size_t Outbox::waiting(const ServedDatabase& database) const {
  const auto found = waiting_.find(&database);
  return found == waiting_.end() ? 0 : found->second.size();
}

std::optional<std::int64_t> Outbox::next_deadline_ms() const {
  std::optional<std::int64_t> next = past_gates_ms_;
  for (const auto& [database, queue] : waiting_) {
    const auto deadline =
        database->gate.deadline_ms(queue.front().logged_ms(), clock_.monotonic_ms());
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  return next;
}

bool Outbox::take_reads(const std::function<bool(Outgoing&)>& take) {
  bool left = false;
  for (auto& [database, queue] : waiting_) {
    std::erase_if(queue, [&](Outgoing& outgoing) {
      if (!outgoing.only_reads()) return false;
      if (take(outgoing)) return true;
      left = true;
      return false;
    });
  }
  return left;
}

}  // namespace tandem
