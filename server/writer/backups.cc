// The two sides of replication as the writer sees them: the backups that follow this server's
// databases, and what it takes over from the server that it follows itself.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "server/writer/commit_stream.h"
#include "server/writer/database_server.h"
#include "server/writer/stand_in.h"

namespace tandem {
namespace {

/// Is the position one of this database's history? A greater one of another history would open the
/// gate for commits that the backup has never seen. A position below the oldest one that is kept
/// passes: it opens no gate, even if it is that of a copy that parted in an earlier epoch and is
/// being compared.
bool is_in_history(const StoredDatabase& stored, const Position& position) {
  const Position& oldest = stored.history().oldest_position();
  if (position.height() < oldest.height()) return true;
  return position == oldest || stored.history().find(position.digest) == position;
}

}  // namespace

void DatabaseServer::set_sync(const CommitGate::Options& options) {
  sync_ = options;
  for (auto& [name, database] : databases()) database->gate.configure(options);
  schedule_wake();
}

void DatabaseServer::start_feed(std::unique_ptr<NewFeed> feed) {
  if (shows_published_) return stand_in_->start(std::move(feed));
  // What is staged must be in the log before anybody is told of it; who joins now hears what comes
  // after.
  flush();
  Mailbox& mailbox = *feed->mailbox;
  Result<FeedStart> start = start_of(*feed);
  mailbox.put([start = std::move(start), feed = std::move(feed)]() mutable {
    feed->started(std::move(start));
  });
}

Result<FeedStart> DatabaseServer::start_of(const NewFeed& feed) {
  const FollowRequest& request = feed.request;
  ServedDatabase* served = find(feed.database);
  if (served == nullptr) return Error{"unknown database", "", std::nullopt};
  if (served->stored->log() == nullptr)
    return Error{"not allowed", "this database is not replicated", std::nullopt};
  if (request.server_id == server_id_)
    return Error{"not allowed", "Self replicating is not allowed", std::nullopt};
  const std::int64_t now_ms = ports_.clock.monotonic_ms();
  if (!served->followers.has_place_for(feed.session, feed.address, now_ms)) {
    return Error{
        "resources exhausted",
        fmt::format("{} connections follow this database already", served->followers.size()),
        std::nullopt};
  }
  const StoredDatabase& stored = *served->stored;
  FeedStart start;
  start.database = served->info;
  start.position = stored.logged().position;
  start.id = stored.history().newest_id();
  start.backup = served->is_backup();
  start.snapshot = stored.database().snapshot();
  if (request.buckets.empty()) {
    start.since = stored.history().since(request.position.digest);
  } else {
    start.epochs = stored.logged().epochs;
    start.origin = stored.logged().origin;
    start.opened_ms = stored.logged().opened_ms;
    start.oldest = stored.history().oldest_position();
    for (auto id = request.recent.begin(); id != request.recent.end() && !start.common; ++id) {
      start.common = stored.history().find(*id);
    }
  }
  if (start.since || !request.buckets.empty()) {
    served->followers.add({feed.session, request, feed.address, feed.mailbox, feed.listener,
                           served->stored->position().index},
                          now_ms);
  }
  return start;
}

void DatabaseServer::stop_feeds(SessionId session) {
  for (auto& [name, database] : databases()) database->followers.remove(session);
}

Result<Position> DatabaseServer::acknowledge(std::string_view database, SessionId session,
                                             const Position& position) {
  ServedDatabase* served = find(database);
  if (served == nullptr) return Position{};
  const StoredDatabase& stored = *served->stored;
  if (!served->followers.contains(session)) return stored.position();
  if (is_in_history(stored, position)) {
    served->followers.acknowledge(session, position, ports_.clock.monotonic_us(),
                                  served->figures->deliveries);
  } else if (!served->is_backup()) {
    // On a backup this is no error: a resync may replace its history while its own backups
    // acknowledge.
    return Error{"",
                 fmt::format("{}: acknowledgement of {}, which was never sent", database,
                             position.to_string()),
                 std::nullopt};
  }
  return stored.position();
}

void DatabaseServer::alive(SessionId session) {
  for (auto& [name, database] : databases()) database->followers.alive(session);
}

bool DatabaseServer::may_depose(SessionId session) const {
  return std::any_of(databases().begin(), databases().end(), [session](const auto& entry) {
    const ServedDatabase& database = *entry.second;
    if (database.stored->log() == nullptr) return false;
    const std::optional<Position> has = database.followers.acknowledged(session);
    return has && has->epoch == database.stored->position().epoch;
  });
}

void DatabaseServer::replicate(ServedDatabase& database, std::vector<RowChange> changes,
                               Database::References references,
                               std::function<void(Result<void>)> written) {
  if (changes.empty()) return replicate(database, CommitRef(), std::move(written));
  replicate(database, database.stored->stage_changes(std::move(changes), "", references),
            std::move(written));
}

void DatabaseServer::replicate(ServedDatabase& database, std::vector<RowChange> changes,
                               const Standing& standing,
                               std::function<void(Result<void>)> written) {
  if (changes.empty() && database.stored->position() == standing.position)
    return replicate(database, CommitRef(), std::move(written));
  replicate(database,
            database.stored->stage_changes(std::move(changes), standing.marks(),
                                           Database::References::kWhole),
            std::move(written));
}

void DatabaseServer::replicate(ServedDatabase& database, const StreamRecord& record,
                               std::function<void(Result<void>)> written) {
  replicate(database, database.stored->stage_record(record), std::move(written));
}

void DatabaseServer::replicate(ServedDatabase& database, Result<CommitRef> commit,
                               std::function<void(Result<void>)> written) {
  Outgoing outgoing;
  outgoing.database = &database;
  if (commit) {
    outgoing.commit = std::move(commit.value());
    outgoing.written = std::move(written);
  } else {
    // The error is told in its turn, after the outcomes of the records before it.
    outgoing.written = [written = std::move(written), error = commit.error()](const Result<void>&) {
      written(error);
    };
  }
  outbox_.put(std::move(outgoing));
  if (database.stored->has_staged()) transactions_.retry_blocked(database);
}

}  // namespace tandem
