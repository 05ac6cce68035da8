#include "server/session/snapshot_rows.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "protocol/jsonrpc.h"

namespace tandem {

namespace {

/// After so many bytes a message ends.
constexpr std::size_t kMessageBytes = std::size_t{1} << 20;
/// So many rows are looked at, or bytes made, in one go.
constexpr std::size_t kRowsAtOnce = 512;
constexpr std::size_t kBytesAtOnce = std::size_t{64} << 10;

}  // namespace

/// How far the messages have come.
struct SnapshotRows::Walk {
  const std::string database;
  const Snapshot snapshot;
  const BucketScope scope;
  std::uint64_t left;  ///< rows in the scope that have not been sent
  bool making = false;
  TableIndex table = 0;
  std::size_t chunk = 0;  ///< of the table
  std::size_t row = 0;    ///< of the chunk

  /// The next row of the scope, if it is among the next `most` rows, which goes down by those that
  /// were looked at. Requires that one is left.
  const Row* find_row(std::size_t& most) {
    for (; most > 0; --most) {
      const std::vector<ChunkRef>& chunks = snapshot.tables[table].chunks();
      if (chunk == chunks.size()) {
        ++table;
        chunk = 0;
        continue;
      }
      if (row == RowChunk::kRows) {
        ++chunk;
        row = 0;
        continue;
      }
      const RowRef& found = chunks[chunk]->rows[row++];
      if (found && scope.contains(table, found->uuid())) return found.get();
    }
    return nullptr;
  }
};

class SnapshotRows::Message final : public TextSource {
 public:
  explicit Message(std::shared_ptr<Walk> walk) : walk_(std::move(walk)) { walk_->making = true; }

  SharedText next() override {
    if (!walk_) return nullptr;
    std::string text;
    if (!std::exchange(begun_, true)) text = head();
    std::size_t most = kRowsAtOnce;
    while (walk_->left > 0 && bytes_ + text.size() < kMessageBytes) {
      const Row* row = text.size() < kBytesAtOnce ? walk_->find_row(most) : nullptr;
      if (row == nullptr) {
        bytes_ += text.size();
        return shared_text(std::move(text));
      }
      append(text, *row);
      --walk_->left;
    }
    text += "}}]}";
    walk_->making = false;
    walk_.reset();
    return shared_text(std::move(text));
  }

 private:
  std::string head() const {
    std::string params = "[";
    append_json_string(params, walk_->database);
    std::string text = make_notification("tandem_rows", params + ",{");
    text.pop_back();  // "params" is its last member
    return text;
  }

  void append(std::string& out, const Row& row) {
    const TableSchema& table = walk_->snapshot.schema->table(walk_->table);
    if (table_ == walk_->table) {
      out += ',';
    } else {
      if (table_) out += "},";
      table_ = walk_->table;
      append_json_string(out, table.name);
      out += ":{";
    }
    out += '"';
    row.uuid().append_to(out);
    out += R"(":{"initial":)";
    append_row_contents(out, table, row);
    out += '}';
  }

  std::shared_ptr<Walk> walk_;  ///< null: at the end
  bool begun_ = false;
  std::size_t bytes_ = 0;  ///< of the pieces before
  std::optional<TableIndex> table_;
};

SnapshotRows::SnapshotRows(std::string database, Snapshot snapshot, BucketScope scope,
                           std::uint64_t rows)
    : walk_(std::make_shared<Walk>(
          Walk{std::move(database), std::move(snapshot), std::move(scope), rows})) {}

std::unique_ptr<TextSource> SnapshotRows::next() {
  if (walk_->left == 0) return nullptr;
  return std::make_unique<Message>(walk_);
}

bool SnapshotRows::is_making() const { return walk_->making; }

}  // namespace tandem
