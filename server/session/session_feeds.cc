#include "server/session/session_feeds.h"

#include <utility>

#include "protocol/json/json_reader.h"
#include "protocol/json/member_writer.h"
#include "protocol/jsonrpc.h"
#include "replication/row_buckets.h"
#include "server/logging/log.h"
#include "server/logging/rate_limit.h"
#include "server/session/session.h"
#include "server/writer/commit_stream.h"

namespace tandem {
namespace {

log::Module jsonrpc_server("ovsdb_jsonrpc_server");

/// The error with the position of the database, if it is still there.
std::string refusal(const Error& error, const ServedDatabase* served) {
  std::string text = "{";
  MemberWriter members(text);
  if (served != nullptr && served->is_backup()) members.boolean("backup", true);
  error.append_members(members);
  if (served != nullptr) served->stored->position().append_json(members.name("position"));
  return text += '}';
}

}  // namespace

SessionFeeds::~SessionFeeds() {
  if (comparing_) comparing_->work->cancel();
}

// --- peers, and others ---

Error SessionFeeds::not_a_peer(const std::string& method) const {
  const ConnectionInfo& client = port_.info();
  std::string why = "the name \"" + client.peer_id + "\" is not among sync-peers";
  if (client.read_only) why = "the connection is read-only";
  if (!client.role.empty()) why = "the connection has the role \"" + client.role + "\"";
  return {"permission error", "\"" + method + "\" is for backups only: " + why, std::nullopt};
}

void SessionFeeds::refuse(const JsonRpcMessage& message, const DatabaseInfo& database) {
  owner_.submit_request([hub = &hub_, session = session_, id = message.id, name = database.name,
                         error = not_a_peer(std::string(message.method))] {
    std::string text = refusal(error, hub->server().find(name));
    hub->server().reply(hub->mailbox(), [hub, session, id, text = std::move(text)] {
      if (Session* self = hub->find_answered(session))
        self->feeds().port_.send(make_error_reply(id, text));
    });
  });
}

void SessionFeeds::end() {
  cancel_comparisons();
  for (const auto& [name, feed] : feeds_) feed->end();
  owner_.submit_notice(
      [server = &hub_.server(), session = session_] { server->stop_feeds(session); });
}

void SessionFeeds::depose() {
  owner_.submit_notice([hub = &hub_, session = session_, name = port_.info().name] {
    if (hub->server().may_depose(session)) return hub->depose();
    if (static log::RateLimit limit(60, 30); limit.admit(jsonrpc_server, log::Level::kInfo))
      jsonrpc_server.info("{}: tandem_depose ignored, it has acknowledged nothing", name);
  });
}

void SessionFeeds::acknowledge(const JsonRpcMessage& message, const std::string& database,
                               const Position& position) {
  const bool asks = message.kind == JsonRpcMessage::Kind::kRequest;
  owner_.submit_request(
      [hub = &hub_, session = session_, database, position, id = message.id, asks] {
        const Result<Position> newest = hub->server().acknowledge(database, session, position);
        hub->server().reply(hub->mailbox(), [hub, session, id, newest, asks] {
          Session* self = hub->find_answered(session);
          if (self == nullptr) return;
          if (newest) {
            if (asks) self->send_reply(id, to_text(newest.value()));
            return;
          }
          if (static log::RateLimit limit(60, 30); limit.admit(jsonrpc_server, log::Level::kWarn))
            jsonrpc_server.warn("{}: {}", self->feeds().port_.info().name, newest.error().details);
          self->close("acknowledgement of what was never sent");
        });
      });
}

void SessionFeeds::on_alive() {
  owner_.submit_notice([server = &hub_.server(), session = session_] { server->alive(session); });
}

// --- feeds ---

void SessionFeeds::follow(const JsonId& id, const DatabaseInfoRef& database,
                          FollowRequest request) {
  feeds_.erase(database->name);
  cancel_comparisons(&database->name);
  FeedListener listener{
      [hub = &hub_, session = session_, name = database->name](const StreamTextRef& text) {
        if (Session* self = hub->find(session)) self->feeds().on_record(name, text);
      },
      [hub = &hub_, session = session_] {
        if (Session* self = hub->find(session)) self->feeds().port_.challenge();
      }};
  auto begun = [hub = &hub_, session = session_, id,
                buckets = request.buckets](const Result<FeedStart>& start) {
    if (Session* self = hub->find_answered(session)) self->feeds().started(id, buckets, start);
  };
  auto feed = std::make_unique<DatabaseServer::NewFeed>(
      DatabaseServer::NewFeed{database->name, session_, std::move(request), port_.info().name,
                              &hub_.mailbox(), std::move(listener), std::move(begun)});
  owner_.submit_request([server = &hub_.server(),
                         feed = std::move(feed)]() mutable { server->start_feed(std::move(feed)); },
                        {.only_reads = true});
}

void SessionFeeds::on_record(const std::string& database, const StreamTextRef& text) {
  const auto feed = feeds_.find(database);
  if (feed == feeds_.end()) return;
  if (!has_authority(port_.info(), Authority::kPeer, hub_.peers())) return end();
  if (text != nullptr) {
    feed->second->on_record(text);
  } else {
    feed->second->end();
  }
}

void SessionFeeds::on_writable() {
  for (const auto& [name, feed] : feeds_) feed->on_writable();
}

void SessionFeeds::reply(const JsonId& id, const FollowReply& reply) {
  port_.send(make_reply(id, to_text(reply)));
}

void SessionFeeds::reply_error(const JsonId& id, const Error& error) {
  port_.send(make_error_reply(id, to_text(error)));
}

void SessionFeeds::started(const JsonId& id, const std::string& buckets,
                           const Result<FeedStart>& start) {
  if (!has_authority(port_.info(), Authority::kPeer, hub_.peers())) {  // it was when it asked
    end();
    reply_error(id, not_a_peer("tandem_follow"));
  } else if (!start) {
    reply_error(id, start.error());
  } else if (start.value().since) {
    resume(id, start.value());
  } else if (buckets.empty()) {
    FollowReply answer;
    answer.mode = FollowReply::Mode::kCompare;
    answer.position = start.value().position;
    answer.backup = start.value().backup;
    reply(id, answer);
  } else {
    compare(id, buckets, start.value());
  }
}

void SessionFeeds::resume(const JsonId& id, const FeedStart& start) {
  FollowReply answer;
  answer.mode = FollowReply::Mode::kResume;
  answer.position = start.position;
  answer.backup = start.backup;
  reply(id, answer);
  std::vector<StreamTextRef> backlog;
  backlog.reserve(start.since->size());
  for (const CommitRef& commit : *start.since) {
    backlog.push_back(stream_text(start.database->name, commit));
  }
  if (std::string ephemeral = ephemeral_updates(start.snapshot); !ephemeral.empty()) {
    const std::size_t bytes = ephemeral.size();
    backlog.push_back(std::make_shared<const StreamText>(
        [name = start.database->name, position = start.position, id = start.id,
         ephemeral = std::move(ephemeral)] {
          return record_notification(name, position, id, "", ephemeral);
        },
        bytes));
  }
  auto feed = std::make_shared<Feed>(start.database->name, static_cast<FeedPort&>(*this));
  feeds_[start.database->name] = feed;
  feed->resume(std::move(backlog));
}

// --- comparisons ---

void SessionFeeds::compare(const JsonId& id, const std::string& buckets, const FeedStart& start) {
  const JsonDocument sums = parse_json(buckets).value();
  Result<RowBuckets> held = RowBuckets::from_json(*start.database->schema, sums);
  if (!held) {
    end();
    return reply_error(id, held.error());
  }
  const std::string& database = start.database->name;
  auto feed = std::make_shared<Feed>(database, static_cast<FeedPort&>(*this));
  feeds_[database] = feed;
  cancel_comparisons(&database);
  to_compare_[database] = {std::make_shared<Comparison>(start, std::move(held.value())), id, feed};
  compare_next();
}

void SessionFeeds::compare_next() {
  if (comparing_ || to_compare_.empty()) return;
  comparing_ = std::move(to_compare_.begin()->second);
  to_compare_.erase(to_compare_.begin());
  comparing_->work->start(
      hub_.server().background(),
      [hub = &hub_, session = session_](std::optional<Comparison::Outcome> outcome) {
        hub->shard().post([hub, session, outcome = std::move(outcome)]() mutable {
          if (Session* self = hub->find(session)) self->feeds().compared(std::move(outcome));
        });
      });
}

void SessionFeeds::compared(std::optional<Comparison::Outcome> outcome) {
  const Compared compared = std::move(*comparing_);
  comparing_.reset();
  const FeedRef feed = compared.feed.lock();
  if (outcome && feed != nullptr) {
    reply(compared.id, outcome->reply);
    feed->send_rows(std::move(outcome->rows));
  } else {
    port_.send(make_error_reply(compared.id, "\"canceled\""));
  }
  compare_next();
}

void SessionFeeds::cancel_comparisons(const std::string* database) {
  if (comparing_ && (database == nullptr || comparing_->work->database() == *database))
    comparing_->work->cancel();
  std::erase_if(to_compare_, [&](const auto& entry) {
    const bool canceled = database == nullptr || entry.first == *database;
    if (canceled) port_.send(make_error_reply(entry.second.id, "\"canceled\""));
    return canceled;
  });
}

}  // namespace tandem
