#include "server/session/session_feeds.h"

#include <utility>

#include "protocol/jsonrpc.h"
#include "replication/row_buckets.h"
#include "server/database/commit_stream.h"
#include "server/session/session.h"

namespace tandem {
namespace {

/// The rows of some buckets, as tandem_rows messages.
class SnapshotRows final : public FeedRows {
 public:
  SnapshotRows(std::string database, Snapshot snapshot, BucketScope scope)
      : database_(std::move(database)), snapshot_(std::move(snapshot)), scope_(std::move(scope)) {}

  std::optional<std::string> next() override {
    std::string params = "[";
    append_json_string(params, database_);
    params += ",{";
    bool any_table = false;
    const std::size_t end = params.size() + kMessageBytes;
    for (; table_ < snapshot_.tables.size() && params.size() < end; ++table_, chunk_ = 0) {
      std::string rows;
      const std::vector<ChunkRef>& chunks = snapshot_.tables[table_].chunks();
      for (; chunk_ < chunks.size() && params.size() + rows.size() < end; ++chunk_) {
        append_rows(rows, *chunks[chunk_]);
      }
      if (!rows.empty()) {
        if (any_table) params += ',';
        any_table = true;
        append_json_string(params, snapshot_.schema->table(table_).name);
        params += ":{" + rows + '}';
      }
      if (chunk_ < chunks.size()) break;
    }
    if (!any_table) return std::nullopt;
    return make_notification("tandem_rows", params + "}]");
  }

 private:
  static constexpr std::size_t kMessageBytes = std::size_t{1} << 20;

  void append_rows(std::string& out, const RowChunk& chunk) {
    for (const RowRef& row : chunk.rows) {
      if (!row || !scope_.contains(table_, row->uuid())) continue;
      out += out.empty() ? "\"" : ",\"";
      row->uuid().append_to(out);
      out += R"(":{"initial":)";
      append_row_contents(out, snapshot_.schema->table(table_), *row);
      out += '}';
    }
  }

  const std::string database_;
  const Snapshot snapshot_;
  const BucketScope scope_;
  TableIndex table_ = 0;
  std::size_t chunk_ = 0;
};

RowSource rows_of(const Snapshot& snapshot) {
  return [&snapshot](TableIndex table, const std::function<void(const RowRef&)>& row) {
    for (const ChunkRef& chunk : snapshot.tables[table].chunks()) {
      for (const RowRef& held : chunk->rows) {
        if (held) row(held);
      }
    }
  };
}

std::uint64_t count_rows(const Snapshot& snapshot, const BucketScope& scope) {
  std::uint64_t count = 0;
  for (TableIndex table = 0; table < snapshot.tables.size(); ++table) {
    snapshot.tables[table].for_each(
        [&](const Row& row) { count += scope.contains(table, row.uuid()) ? 1 : 0; });
  }
  return count;
}

}  // namespace

void SessionFeeds::follow(const json::value& id, const DatabaseInfoRef& database,
                          FollowRequest request) {
  feeds_.erase(database->name);
  auto deliver = [hub = &hub_, session = session_,
                  name = database->name](const StreamTextRef& text) {
    Session* self = hub->find(session);
    if (self == nullptr) return;
    const auto feed = self->feeds().feeds_.find(name);
    if (feed == self->feeds().feeds_.end()) return;
    if (text != nullptr) {
      feed->second->on_record(text);
    } else {
      feed->second->end();
    }
  };
  auto begun = [hub = &hub_, session = session_, id,
                buckets = request.buckets](const Result<FeedStart>& start) {
    if (Session* self = hub->find(session)) self->feeds().started(id, buckets, start);
  };
  hub_.server().submit(
      [hub = &hub_, session = session_, name = database->name, address = port_.info().name,
       request = std::move(request), deliver = std::move(deliver), begun = std::move(begun)] {
        hub->server().start_feed(name, session, request, address, hub->mailbox(), deliver, begun);
      },
      hub_.shard());
}

void SessionFeeds::on_writable() {
  for (const auto& [name, feed] : feeds_) feed->on_writable();
}

void SessionFeeds::reply(const json::value& id, const FollowReply& reply) {
  port_.send(make_reply(id, to_text(reply.to_json())));
}

void SessionFeeds::started(const json::value& id, const json::value& buckets,
                           const Result<FeedStart>& start) {
  if (!start) {
    port_.send(make_error_reply(id, to_text(start.error().to_json())));
  } else if (start.value().since) {
    resume(id, start.value());
  } else if (buckets.is_null()) {
    FollowReply answer;
    answer.mode = FollowReply::Mode::kCompare;
    answer.position = start.value().position;
    answer.backup = start.value().backup;
    reply(id, answer);
  } else {
    compare(id, buckets, start.value());
  }
}

void SessionFeeds::resume(const json::value& id, const FeedStart& start) {
  FollowReply answer;
  answer.mode = FollowReply::Mode::kResume;
  answer.position = start.position;
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

void SessionFeeds::compare(const json::value& id, const json::value& buckets,
                           const FeedStart& start) {
  Result<RowBuckets> held = RowBuckets::from_json(*start.database->schema, buckets);
  if (!held) {
    port_.send(make_error_reply(id, to_text(held.error().to_json())));
    return;
  }
  auto feed = std::make_shared<Feed>(start.database->name, static_cast<FeedPort&>(*this));
  feeds_[start.database->name] = feed;
  hub_.server().background().post([hub = &hub_, session = session_, id, start = start,
                                   held = std::move(held.value()),
                                   feed = std::weak_ptr<Feed>(feed)]() mutable {
    const DatabaseSchema& schema = *start.database->schema;
    BucketScope scope = RowBuckets::like(held, schema, rows_of(start.snapshot)).difference(held);
    FollowReply answer;
    answer.mode = FollowReply::Mode::kRows;
    answer.position = start.position;
    answer.rows = count_rows(start.snapshot, scope);
    answer.buckets = scope.to_json(schema);
    answer.epochs = start.epochs;
    answer.oldest = start.oldest;
    answer.common = start.common;
    auto rows = std::make_unique<SnapshotRows>(start.database->name, std::move(start.snapshot),
                                               std::move(scope));
    hub->shard().post([hub, session, id, answer, feed, rows = std::move(rows)]() mutable {
      Session* self = hub->find(session);
      const FeedRef now = feed.lock();
      if (self == nullptr || now == nullptr) return;  // gone, or asked anew
      self->feeds().reply(id, answer);
      now->send_rows(std::move(rows));
    });
  });
}

}  // namespace tandem
