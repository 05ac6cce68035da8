#include "server/session/comparison.h"

#include <utility>

#include "protocol/jsonrpc.h"

namespace tandem {
namespace {

/// Chunks of 128 rows: about 5 ms.
constexpr std::size_t kChunksASlice = 8;

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

}  // namespace

void Comparison::start(TaskRunner& background, Done done) {
  background_ = &background;
  done_ = std::move(done);
  post_slice();
}

void Comparison::post_slice() {
  background_->post([self = shared_from_this()] { self->run_slice(); });
}

template <class F>
bool Comparison::next_chunks(F&& f) {
  const std::vector<TableSnapshot>& tables = start_.snapshot.tables;
  for (std::size_t done = 0; table_ < tables.size(); ++table_, chunk_ = 0) {
    const std::vector<ChunkRef>& chunks = tables[table_].chunks();
    for (; chunk_ < chunks.size(); ++chunk_) {
      if (done++ == kChunksASlice) return true;
      f(*chunks[chunk_]);
    }
  }
  return false;
}

void Comparison::run_slice() {
  if (cancelled_) return done_(std::nullopt);
  const DatabaseSchema& schema = *start_.database->schema;
  if (!scope_) {
    const bool more = next_chunks(
        [&](const RowChunk& chunk) { ours_.add(schema, table_, std::span(chunk.rows)); });
    if (more) return post_slice();
    scope_ = ours_.difference(held_);
    table_ = 0;
  }
  const bool more = next_chunks([&](const RowChunk& chunk) {
    for (const RowRef& row : chunk.rows) {
      if (row && scope_->contains(table_, row->uuid())) ++rows_;
    }
  });
  if (more) return post_slice();
  done_(outcome());
}

Comparison::Outcome Comparison::outcome() {
  FollowReply reply;
  reply.mode = FollowReply::Mode::kRows;
  reply.position = start_.position;
  reply.rows = rows_;
  reply.buckets = scope_->to_json(*start_.database->schema);
  reply.epochs = start_.epochs;
  reply.oldest = start_.oldest;
  reply.common = start_.common;
  return {std::move(reply), std::make_unique<SnapshotRows>(database(), std::move(start_.snapshot),
                                                           std::move(*scope_))};
}

}  // namespace tandem
