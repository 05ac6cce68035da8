#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/storage/file_system.h"
#include "server/storage/record.h"

namespace tandem::storage {

/// Why a reader came to its end.
enum class LogEnd {
  kNotYet,   ///< it did not
  kClean,    ///< the file ends with a good record
  kTorn,     ///< rubbish or part of a record stands at the end, as a crash leaves it
  kDamaged,  ///< a record is bad, and whole ones follow it
  kNoRead,  ///< the system failed to read, or the file is another now; nothing is known of the rest
};

/// Reads the records of a standalone file in order and verifies their SHA-1. Owned by one thread;
/// the file must outlive it. Its buffer grows to the largest record. 57 MB take 50 ms, nearly all
/// of them SHA-1.
class LogReader {
 public:
  /// `file_name` is for error texts and must outlive the reader.
  LogReader(const File& file, std::string_view file_name);

  /// The next record, valid until the next call; nothing at a clean end. On failure the error in
  /// ovsdb-server's words; end() then says of what kind, and end_of_records() where the good part
  /// ends. Not to be called after either.
  Result<std::optional<Record>> next();

  /// After damage: goes on with the next whole record behind it.
  void skip_damage();

  LogEnd end() const { return end_; }
  /// Bytes from the start of the file that hold the records given so far.
  std::uint64_t end_of_records() const { return position_; }

 private:
  std::string_view window() const { return {buffer_.get() + begin_, filled_ - begin_}; }
  /// Reads until `count` bytes from position_ are in the window, or the file ends.
  IoResult<void> fill(std::size_t count);
  Error wrong_sha1(std::uint64_t length, std::uint64_t offset, const RecordSha1& actual,
                   const RecordSha1& expected) const;
  Result<std::optional<Record>> fail(LogEnd end, Error error);
  Result<std::optional<Record>> fail_reading(boost::system::error_code error, std::uint64_t bytes,
                                             std::uint64_t offset);
  Result<std::optional<Record>> fail_cut(std::uint64_t bytes, std::uint64_t offset);
  Result<std::optional<Record>> fail_bad(Error error);
  Result<std::optional<Record>> end_clean();
  /// Fails if the file was overwritten while it was read.
  Result<void> check_undisturbed() const;
  bool has_what_was_read() const;

  const File& file_;
  std::string_view file_name_;
  std::size_t index_ = 0;
  std::uint64_t position_ = 0;   ///< in the file, of the first byte of the window
  std::uint64_t file_size_ = 0;  ///< as it was last asked for
  std::uint64_t last_at_ = 0;    ///< where the last record begins
  RecordSha1 last_sha1_{};       ///< of it
  LogEnd end_ = LogEnd::kNotYet;
  std::uint64_t next_whole_ = 0;  ///< the record behind damage

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;   ///< where in the buffer the window begins
  std::size_t filled_ = 0;  ///< and where it ends
};

/// Succeeds if the file begins like a standalone database. Otherwise the error that opening it
/// should give.
Result<void> check_file_type(const File& file, std::string_view file_name);

}  // namespace tandem::storage
