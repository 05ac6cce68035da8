#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.h"
#include "protocol/uuid.h"
#include "replication/copy_order.h"

namespace tandem {

/// The SHA-1 in the header of a log record (ovsdb(5)): of its body and the newline after it.
using RecordSha1 = std::array<std::byte, 20>;

/// A point in the history of a database: the state after some log record.
struct Position {
  Epoch epoch{};
  std::uint64_t index =
      0;        ///< records after the schema record, those that compaction folded included
  Uuid digest;  ///< a chain over all records: equal digests mean equal history

  Height height() const { return {epoch, index}; }
  /// For comparisons with other servers' copies.
  Copy copy() const { return {height(), digest}; }

  bool operator==(const Position&) const = default;
  /// By height. Unordered when only the digests differ: two histories of the same length that have
  /// parted.
  std::partial_ordering operator<=>(const Position& other) const;

  /// "epoch/index/digest", for logs.
  std::string to_string() const;
  /// {"digest", "epoch", "index"}.
  void append_json(std::string& out) const;
  /// Reads what append_json() gives; a "syntax error" if a member is missing or not of its kind.
  /// Other members are ignored.
  static Result<Position> from_json(JsonView value);
};

/// What is believed of others. No count of promotions or of records comes near these, and what lies
/// within leaves room to go on: a mark or a peer cannot use the numbers up.
inline constexpr Epoch kMaxEpoch{std::uint64_t{1} << 61};
inline constexpr std::uint64_t kMaxIndex = std::uint64_t{1} << 61;
/// By how much one record, or one resync, may raise the epoch, and an index that is beyond.
inline constexpr std::uint64_t kMaxStep = std::uint64_t{1} << 32;

/// Whether a database at `before` may be led to `after` by another server.
bool is_believable(const Position& before, const Position& after);

/// Where a file that holds only its schema stands: epoch 0, index 0, the chain started with the
/// schema record.
Position first_position(std::span<const std::byte, 20> schema_sha1);

/// The position one ordinary record after `before`: the digest is the first 128 bits of the SHA-256
/// of the digest before (16 bytes, big endian) and the record's SHA-1.
Position next(const Position& before, std::span<const std::byte, 20> record_sha1);

/// The position after any record, marks in its comment heeded; a promotion that raises the epoch by
/// more than kMaxStep is none. Writing and replay both go through here, so they agree.
Position after_record(const Position& before, std::span<const std::byte, 20> record_sha1,
                      std::string_view comment);

/// What a record's `_comment` may say about positions. Each mark is one line, and other lines may
/// stand around it. A mark is heeded only in the exact form below, and only if it stands once.
struct PositionMarks {
  std::optional<Epoch> promotion;    ///< this record opens a new epoch
  std::optional<Position> snapshot;  ///< the state after this record is that of this position: a
                                     ///< compacted file, a resync; none far beyond kMaxIndex
  std::vector<Position> epochs;      ///< of a snapshot: the position after each promotion so far
  std::optional<Uuid> origin;        ///< of a snapshot: Standing::origin
  std::optional<std::int64_t> opened_ms;  ///< Standing::opened_ms

  static PositionMarks parse(std::string_view comment);
};

/// The line of a promotion record: "tandem: promotion epoch=E".
std::string promotion_mark(Epoch epoch);
/// The line of a snapshot: "tandem: snapshot epoch=E index=I digest=UUID".
std::string snapshot_mark(const Position& position);

/// The line that stands beside it: "tandem: epochs E/I/UUID E/I/UUID ...".
std::string epochs_mark(const std::vector<Position>& epochs);

/// And, of files that have had records: "tandem: origin UUID".
std::string origin_mark(const Uuid& origin);
/// The line of a promotion, and of a snapshot, that says when the epoch began: "tandem: opened MS",
/// since 1970. Not believed beyond the year 2100.
std::string opened_mark(std::int64_t wall_ms);

/// A client's comment in which no line can be taken for a mark: those that begin like one get a
/// space before them.
std::string without_marks(std::string_view comment);

}  // namespace tandem
