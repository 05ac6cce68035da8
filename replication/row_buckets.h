#pragma once

// How two servers find out cheaply in which rows they differ. The rows of a table are dealt into
// buckets by their UUIDs, and each bucket has a sum of its rows' digests. A backup that cannot
// resume sends its sums, and gets only the rows of buckets whose sums differ: what is transferred
// follows the difference, not the database. With about 32 rows a bucket the sums of a Southbound
// database of 57 MB are some 100 kB. Rejected: a tree of sums (more round trips, and still the
// leaves), rows' own digests (as many bytes as small rows have).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "protocol/row.h"
#include "replication/resync.h"

namespace tandem {

/// Appends the row's columns that have not their defaults as a JSON object, ephemeral ones
/// included; equal rows give equal texts.
void append_row_contents(std::string& out, const TableSchema& table, const Row& row);

/// Which rows of a database take part in a resync: those of some buckets of each table.
class BucketScope {
 public:
  explicit BucketScope(std::size_t tables) : chosen_(tables) {}

  bool contains(TableIndex table, const Uuid& row) const;
  /// `chosen` by bucket; its size is a power of two, or 0 for none.
  void set(TableIndex table, std::vector<bool> chosen) { chosen_[table] = std::move(chosen); }
  bool is_empty() const;

  /// {TABLE: [buckets, [NUMBER, ...]]}; tables of which nothing is chosen are left out.
  void append_json(std::string& out, const DatabaseSchema& schema) const;
  static Result<BucketScope> from_json(const DatabaseSchema& schema, JsonView value);

 private:
  std::vector<std::vector<bool>> chosen_;
};

/// The sums of a database's rows.
class RowBuckets {
 public:
  struct Sum {
    std::uint64_t hi = 0, lo = 0;
    bool operator==(const Sum&) const = default;
  };

  /// Of the rows that `rows` has, with as many buckets as suit their number.
  static RowBuckets of(const DatabaseSchema& schema, const RowSource& rows);
  /// Of no rows, in as many buckets as `like` has.
  static RowBuckets zeros_like(const RowBuckets& like);
  /// Adds rows of a table; null ones are passed over.
  void add(const DatabaseSchema& schema, TableIndex table, std::span<const RowRef> rows);

  /// The buckets whose sums differ. Requires equal numbers of buckets.
  BucketScope difference(const RowBuckets& other) const;

  /// {TABLE: sums as hexadecimal text}.
  void append_json(std::string& out, const DatabaseSchema& schema) const;
  /// Under the reader's schema: tables that it has not are ignored, those that are not there have
  /// one empty bucket.
  static Result<RowBuckets> from_json(const DatabaseSchema& schema, JsonView value);

  /// Of a table with so many buckets, a power of two.
  static std::size_t bucket_of(const Uuid& row, std::size_t buckets) {
    return hash_value(Uuid{row.lo, row.hi}) & (buckets - 1);
  }

 private:
  class RowDigester;
  void add(RowDigester& digester, const DatabaseSchema& schema, TableIndex table, const Row& row);
  std::vector<std::vector<Sum>> tables_;
};

}  // namespace tandem
