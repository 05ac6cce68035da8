#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "server/storage/file_system.h"
#include "server/storage/sha1.h"

namespace tandem::storage {

/// Where a record stands in a file.
struct RecordPlace {
  std::uint64_t begin = 0;  ///< of its header
  std::uint64_t end = 0;    ///< of its body
};

/// Finds whole records behind damage: lines that are headers, with a body of that length and
/// checksum after them. Reads in pieces, whatever the lengths are. Owned by one thread; the file
/// must outlive it.
class RecordSearch {
 public:
  /// Looks from `from` on. Fails if the size of the file cannot be told.
  static IoResult<RecordSearch> begin(const File& file, std::uint64_t from);

  /// The next one in order; nothing if there are no more. Fails if the file cannot be read.
  IoResult<std::optional<RecordPlace>> next();

 private:
  RecordSearch(const File& file, std::uint64_t from, std::uint64_t size);

  /// What stands at `offset`: `least` bytes or more, less only at the end of the file.
  IoResult<std::string_view> window(std::uint64_t offset, std::size_t least);
  /// Where the record ends whose header may be at `offset`; nothing if none is there.
  IoResult<std::optional<std::uint64_t>> end_of_record(std::uint64_t offset);

  const File* file_;
  std::uint64_t at_;
  std::uint64_t size_;
  /// Bytes that may still be read for records that turn out to be none: rubbish that looks like
  /// many headers must not make the search quadratic.
  std::uint64_t in_vain_;

  std::vector<char> buffer_;
  std::uint64_t buffered_at_ = 0;
  std::size_t buffered_ = 0;
};

/// The SHA-1 of these bytes of a file, read in pieces. Fails if the file cannot be read; nothing if
/// it ends before `end`.
IoResult<std::optional<RecordSha1>> sha1_of(const File& file, std::uint64_t begin,
                                            std::uint64_t end);

/// How many whole records stand from `from` on.
IoResult<std::uint64_t> count_whole_records(const File& file, std::uint64_t from);

}  // namespace tandem::storage
