#include "server/session/snapshot_rows.h"

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"
#include "protocol/jsonrpc.h"

namespace tandem {
namespace {

constexpr std::size_t kTables = 3;

const SchemaRef& schema() {
  static const SchemaRef schema =
      DatabaseSchema::from_text(
          R"({"name":"db","tables":{"t":{"columns":{"s":{"type":"string"}}},)"
          R"("u":{"columns":{"s":{"type":"string"}}},"v":{"columns":{"s":{"type":"string"}}}}})")
          .value();
  return schema;
}

RowRef row(TableIndex table, std::uint64_t uuid, const std::string& text) {
  const TableSchema& of = schema()->table(table);
  RowDraft draft = Row::create(of, Uuid{uuid, table});
  draft->set(kFirstOwnColumn,
             of.column(kFirstOwnColumn)
                 .type.datum_from_json(parse_json('"' + text + '"').value(), nullptr)
                 .value());
  return draft;
}

/// A table with so many rows of this length.
TableSnapshot table_of(TableIndex table, std::uint64_t rows, std::size_t length) {
  std::vector<ChunkRef> chunks;
  for (std::uint64_t i = 0; i < rows;) {
    auto* chunk = new RowChunk;
    // The last slot of each is empty.
    for (std::size_t slot = 0; slot + 1 < RowChunk::kRows && i < rows; ++slot)
      chunk->rows[slot] = row(table, i++, std::string(length, 'x'));
    chunks.emplace_back(chunk);
  }
  return {std::move(chunks), rows};
}

BucketScope all_rows() {
  BucketScope scope(kTables);
  for (TableIndex table = 0; table < kTables; ++table) scope.set(table, {true});
  return scope;
}

/// The rows in the messages, and how those were made.
struct Sent {
  std::size_t rows = 0;
  std::size_t messages = 0;
  std::size_t longest_message = 0;
  std::size_t longest_piece = 0;
  std::size_t empty_pieces = 0;
};

Sent send(SnapshotRows& rows) {
  Sent sent;
  while (const std::unique_ptr<TextSource> message = rows.next()) {
    CHECK(rows.is_making());
    std::string text;
    while (const SharedText piece = message->next()) {
      text += *piece;
      sent.longest_piece = std::max(sent.longest_piece, piece->size());
      sent.empty_pieces += piece->empty();
    }
    CHECK_FALSE(rows.is_making());
    ++sent.messages;
    sent.longest_message = std::max(sent.longest_message, text.size());
    const auto parsed = JsonRpcMessage::from_json(parse_json(text).value()).value();
    CHECK(parsed.method == "tandem_rows");
    CHECK(parsed.params[0].get_string() == "db");
    for (const auto& [table, of_table] : parsed.params[1].members()) sent.rows += of_table.size();
  }
  return sent;
}

TEST_CASE("the rows of a snapshot are messages of about 1 MiB, made in small pieces") {
  SnapshotRows rows("db", {schema(), {table_of(0, 4000, 700), {}, table_of(2, 300, 10)}},
                    all_rows(), 4300);
  const Sent sent = send(rows);
  CHECK(sent.rows == 4300);
  CHECK(sent.messages == 3);
  CHECK(sent.longest_message < (std::size_t{1} << 20) + 2000);
  CHECK(sent.longest_piece < (std::size_t{64} << 10) + 2000);
}

TEST_CASE("long rows are pieces of their own") {
  SnapshotRows rows("db", {schema(), {table_of(0, 20, 200'000), {}, {}}}, all_rows(), 20);
  const Sent sent = send(rows);
  CHECK(sent.rows == 20);
  CHECK(sent.longest_piece < 201'000);
}

TEST_CASE("nothing is made for long while no row is to be sent") {
  const TableSnapshot large = table_of(0, 5000, 10);
  BucketScope scope(kTables);
  std::vector<bool> chosen(4096);
  const Uuid wanted = large.chunks().back()->rows[0]->uuid();
  chosen[RowBuckets::bucket_of(wanted, chosen.size())] = true;
  scope.set(0, chosen);
  std::uint64_t count = 0;
  large.for_each([&](const Row& r) { count += scope.contains(0, r.uuid()); });
  SnapshotRows rows("db", {schema(), {large, {}, {}}}, scope, count);
  const Sent sent = send(rows);
  CHECK(sent.rows == count);
  CHECK(sent.empty_pieces > 0);
}

TEST_CASE("where no row differs there is no message") {
  SnapshotRows rows("db", {schema(), {table_of(0, 10, 10), {}, {}}}, BucketScope(kTables), 0);
  CHECK(rows.next() == nullptr);
}

}  // namespace
}  // namespace tandem
