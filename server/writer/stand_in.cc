#include "server/writer/stand_in.h"

#include <algorithm>
#include <utility>

#include "server/writer/monitor_start.h"

namespace tandem {
namespace {

/// How many of `commits`, the oldest first, have been put into the history: those up to its newest
/// one.
std::size_t newest_among(const History& history, const std::vector<CommitRef>& commits) {
  const auto newest = std::find_if(commits.begin(), commits.end(), [&](const CommitRef& commit) {
    return commit->id == history.newest_id();
  });
  return newest == commits.end() ? 0 : static_cast<std::size_t>(newest - commits.begin()) + 1;
}

}  // namespace

void DatabaseServer::StandIn::take_out(Writer::Sessions& waiting) {
  const auto add = [this, &waiting](const Outgoing& outgoing) {
    if (outgoing.commit) unpublished_[outgoing.database].push_back(outgoing.commit);
    if (outgoing.call && !outgoing.call->only_reads) waiting.insert(outgoing.call->session);
  };
  server_.outbox_.for_each_unpublished(add);
  for (const auto& [database, commits] : unpublished_) {
    for (auto commit = commits.rbegin(); commit != commits.rend(); ++commit)
      database->stored->database().revert(**commit);
  }
  server_.shows_published_ = true;
}

void DatabaseServer::StandIn::begin(Writer::Sessions& waiting) {
  take_out(waiting);
  for (const LaneRef& lane : server_.turns_.waiting()) waiting.insert(lane->session());
  // The writer's thread waits, and has left answers for its own clients: another one is to deliver
  // them.
  server_.outbox_.deliver(false);
  // What only reads and had been executed when the writer began to wait is executed anew.
  for (Outgoing& outgoing : server_.outbox_.being_logged()) answer_read(outgoing, waiting);
}

void DatabaseServer::StandIn::end_turn() { server_.outbox_.hand_over(); }

void DatabaseServer::StandIn::end() { put_back(); }

bool DatabaseServer::StandIn::answer_past_gates() {
  Writer::Sessions waiting;
  take_out(waiting);
  const bool left = server_.outbox_.take_reads(
      [&](Outgoing& outgoing) { return answer_read(outgoing, waiting); });
  put_back();
  return left;
}

bool DatabaseServer::StandIn::answer_read(Outgoing& outgoing, const Writer::Sessions& waiting) {
  if (outgoing.call && !waiting.contains(outgoing.call->session)) {
    transact(std::move(outgoing.call));
  } else if (outgoing.monitor && !waiting.contains(outgoing.monitor->session)) {
    start(std::move(outgoing.monitor));
  } else {
    return false;
  }
  return true;
}

void DatabaseServer::StandIn::put_back() {
  for (const auto& [database, commits] : unpublished_) {
    for (const CommitRef& commit : commits) database->stored->database().apply(commit->changes);
  }
  unpublished_.clear();
  server_.shows_published_ = false;
}

void DatabaseServer::StandIn::transact(std::unique_ptr<TransactCall> call) {
  ServedDatabase* const database = server_.find(call->database);
  if (database == nullptr || call->transaction.schema != database->info->schema) {
    TaskRunner& runner = call->mailbox->runner();
    return server_.submit([server = &server_,
                           call = std::move(call)]() mutable { server->transact(std::move(call)); },
                          runner);
  }
  call->result = database->stored->database().execute(call->transaction, TransactContext{}).result;
  DatabaseFigures::count(database->figures->transactions);
  if (call->result.failed()) DatabaseFigures::count(database->figures->failed);
  Mailbox& mailbox = *call->mailbox;
  mailbox.put([call = std::move(call)] { call->done(); });
}

std::size_t DatabaseServer::StandIn::unpublished_in_history(ServedDatabase* database) const {
  const auto commits = unpublished_.find(database);
  if (commits == unpublished_.end()) return 0;
  return newest_among(database->stored->history(), commits->second);
}

void DatabaseServer::StandIn::start(std::unique_ptr<NewMonitor> monitor) {
  ServedDatabase* const database = server_.find(monitor->database);
  const std::size_t unpublished = unpublished_in_history(database);
  if (monitor->since && unpublished > database->stored->history().size()) {
    // The history does not know the id of what is published any more: the monitor waits for the
    // writer.
    TaskRunner& runner = monitor->mailbox->runner();
    return server_.submit(
        [server = &server_, m = std::move(monitor)]() mutable {
          server->start_monitor(std::move(m));
        },
        runner);
  }
  Mailbox& mailbox = *monitor->mailbox;
  Result<MonitorStart> start = monitor_start(server_.catalogue_, *monitor, unpublished);
  mailbox.put([start = std::move(start), monitor = std::move(monitor)]() mutable {
    monitor->started(std::move(start));
  });
}

void DatabaseServer::StandIn::start(std::unique_ptr<NewFeed> feed) {
  Mailbox& mailbox = *feed->mailbox;
  if (unpublished_in_history(server_.find(feed->database)) > 0) {
    // A feed begins with what the log holds, and these are not in the rows.
    return server_.submit(
        [server = &server_, f = std::move(feed)]() mutable { server->start_feed(std::move(f)); },
        mailbox.runner());
  }
  Result<FeedStart> start = server_.start_of(*feed);
  mailbox.put([start = std::move(start), feed = std::move(feed)]() mutable {
    feed->started(std::move(start));
  });
}

}  // namespace tandem
