#include "server/session/comparison.h"

#include <utility>

#include "server/session/snapshot_rows.h"

namespace tandem {
namespace {

/// Chunks of 128 rows: about 5 ms.
constexpr std::size_t kChunksASlice = 8;

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
  scope_->append_json(reply.buckets, *start_.database->schema);
  reply.epochs = start_.epochs;
  reply.origin = start_.origin;
  reply.opened_ms = start_.opened_ms;
  reply.oldest = start_.oldest;
  reply.common = start_.common;
  return {std::move(reply), std::make_unique<SnapshotRows>(database(), std::move(start_.snapshot),
                                                           std::move(*scope_), rows_)};
}

}  // namespace tandem
