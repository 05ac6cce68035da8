#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/logging/time_histogram.h"
#include "server/posix/mutex.h"
#include "server/storage/compaction_policy.h"
#include "server/storage/disk_wait.h"
#include "server/storage/file_system.h"
#include "server/storage/log_health.h"
#include "server/storage/record.h"

namespace tandem::storage {

class LogReader;

/// The log of one open database (ovsdb(5), standalone format): replayed once, then only appended
/// to.
///
/// The writer thread owns it; sync(), size() and name() may be called from any thread. It lives as
/// long as the database is open, and holds the file's lock all the while. The file system must
/// outlive it.
///
/// To commit: prepare_record() each body, take the positions from the SHA-1s, append() them all,
/// publish. If append() fails the file is as before, and the caller undoes the batch.
class LogFile {
 public:
  using Access = FileSystem::Access;
  /// Called for each record in order, the schema first. An error makes the record, and all after
  /// it, no part of the log, and the file a damaged one.
  using Replay = std::function<Result<void>(const Record&)>;

  /// Opens a file and replays it. Read-only: without lock. Otherwise fails when it is locked,
  /// cannot be opened, is no standalone database, or its first record is bad. A bad record after
  /// that ends the log: tail_error() tells, and the first append() cuts the rest off, after it was
  /// copied to NAME.torn-DATE, the date being `now`. If whole records stand in the rest, or the
  /// record is whole and `replay` refuses it, the file is damaged: health() tells, and append()
  /// fails until set_damage_aside().
  static Result<std::unique_ptr<LogFile>> open(FileSystem& files, const std::string& name,
                                               Access access,
                                               std::chrono::system_clock::time_point now,
                                               const Replay& replay);

  /// Makes a durable file with just a schema. Fails when it exists or is locked.
  static Result<std::unique_ptr<LogFile>> create(FileSystem& files, const std::string& name,
                                                 std::string_view schema);

  /// Adds the records with one write. On failure ("I/O error") the file holds none of them and
  /// later calls may succeed, unless a sync failed: then this fails for good. Requires read-write
  /// access.
  Result<void> append(std::span<const PreparedRecord> batch);

  /// Makes all that was appended before the call durable. Any thread, as a compaction may replace
  /// the file meanwhile. A failure is final: the kernel may have dropped the pages, so nothing more
  /// is written.
  Result<void> sync();

  /// Other contents are about to take the place of those of a damaged file: keeps the whole file as
  /// NAME.damaged-DATE, and cuts off what could not be read. NAME.mending then says that the file
  /// lacks something, to whoever opens it. Does nothing for a file that is not damaged. On failure
  /// nothing is cut off. Not for read-only access.
  Result<void> set_damage_aside();
  /// All that there was is here again, or was given up: sets a damaged file aside, if that was not
  /// done yet, and ends the damage.
  Result<void> mend();

  /// The damage of a file that was cut and has not got back what it lost, as NAME.mending beside it
  /// says. Fails if that cannot be read.
  static Result<std::optional<Damage>> marked_damage(FileSystem& files, const std::string& name);

  /// Whether the last write failed.
  bool is_failing() const { return failure_.has_value(); }
  /// Ends that failure if writes would succeed again: nobody may write any more, since nobody
  /// could. To be called by the housekeeping; returns whether they would. For want of room it asks
  /// for room. After another failure it writes the last byte once more, as it is, but not before
  /// some looks without a write between them: that may succeed where a longer file fails.
  bool look_again();

  /// Any thread.
  LogHealth health() const;

  const std::string& name() const { return name_; }
  /// How long writes and flushes took. Any thread.
  const TimeHistogram& write_times() const { return write_times_; }
  const TimeHistogram& sync_times() const { return sync_times_; }
  /// Bytes of good records.
  std::uint64_t size() const { return end_.load(std::memory_order_acquire); }
  /// For CompactionPolicy.
  LogGrowth growth() const { return {size(), compacted_size_, commits_}; }
  /// Why the log ended before the file did, when it was opened.
  const std::optional<Error>& tail_error() const { return tail_error_; }
  bool is_damaged() const { return damage_.has_value(); }
  /// Logs what is lost of the file, if anything, and what can be done.
  void warn_of_tail() const;

 private:
  friend class Compaction;

  /// What stands in the file after the last good record.
  enum class Tail {
    kNone,   ///< nothing
    kFound,  ///< bytes that were there when it was opened; they are kept aside before they are cut
    kDamaged,   ///< the same with a whole record among them; they stay until set_damage_aside()
    kLeftOver,  ///< what is of no use: part of a batch whose write failed, and could not be taken
                ///< back yet, or of contents that were being staged at a crash
    kStaged     ///< the log itself, which could not yet be put in the place of the old records
  };

  /// What a compaction has left of the log.
  struct Extent {
    std::uint64_t end;             ///< of the good records
    std::uint64_t compacted_size;  ///< bytes of schema and snapshot
    std::uint64_t commits;         ///< records after those
  };

  LogFile(FileSystem& files, std::string name, std::string target);

  Result<void> lock();
  Result<void> replay_all(const Replay& replay);
  Result<void> write(std::span<const PreparedRecord> batch);
  /// Keeps and logs that writing begins to fail, or succeeds again.
  void note(const Result<void>& written, std::uint64_t bytes);
  /// A write of so many bytes has succeeded. Will others?
  bool has_room_again(std::uint64_t bytes);
  /// Is there room for what failed for want of it? Nothing if that cannot be told.
  std::optional<bool> has_room() const;
  bool rewrite_last_byte();
  /// Fails if writing has failed for good; otherwise removes the tail.
  Result<void> make_writable();
  /// Puts in its place what an earlier process has staged.
  Result<void> finish_overwriting();
  Result<void> end_clean();
  Result<void> end_at(Error bad, const LogReader& reader);
  /// Copies the file from `begin` on to NAME.KIND-DATE, and returns that name. There is no file of
  /// that name before it is whole and on the disk.
  Result<std::string> keep_aside(std::uint64_t begin, std::string_view kind);
  /// `wanted`, or with -2, -3, ... behind it: a name that no file has.
  Result<std::string> free_path(const std::string& wanted);
  Error damaged_error() const;
  std::string mark_path() const;
  Result<void> write_mark(const Damage& damage);
  Error stop_writing(std::string_view what, boost::system::error_code error);
  /// Goes over to the file that has replaced this one.
  void adopt(std::shared_ptr<File> file, const Extent& extent);
  /// Goes over to the contents of a file that cannot replace this one: they are this log from now
  /// on, also after a crash, but nothing is appended until settle() has succeeded. On failure the
  /// log is as before.
  Result<void> stage(File& contents, const Extent& extent);
  /// Puts what is staged in the place of the old records. May be tried again.
  Result<void> settle();
  Result<void> put_in_place();

  FileSystem& files_;
  const std::string name_;    ///< as the user gave it, for messages
  const std::string target_;  ///< the file itself, links followed
  std::unique_ptr<FileLock> lock_;

  mutable Mutex mutex_;  ///< guards the next five against sync() and health()
  // The writer alone changes file, failure and damage, and may read them without the mutex.
  std::shared_ptr<File> file_;
  std::optional<Error> stopped_ GUARDED_BY(mutex_);  ///< why nothing is written any more
  std::optional<Error> failure_;                     ///< of the last append
  std::chrono::system_clock::time_point failing_since_ GUARDED_BY(mutex_);
  std::optional<Damage> damage_;

  int looks_ = 0;                   ///< look_again() since the last append, after a failure
  std::uint64_t failed_bytes_ = 0;  ///< of the largest write since that failed for want of room

  DiskWait writing_;  ///< of the writer, in append() or a part of a compaction
  DiskWait syncing_;  ///< in sync()
  TimeHistogram write_times_;
  TimeHistogram sync_times_;

  std::atomic<std::uint64_t> end_ = 0;  ///< of the good records; changed by the writer only
  std::uint64_t records_ = 0;           ///< that were replayed
  Tail tail_ = Tail::kNone;
  std::optional<Error> tail_error_;
  Extent staged_{};        ///< of the log, while it is staged
  std::string opened_at_;  ///< the date in the names of what is kept aside

  std::uint64_t compacted_size_ = 0;  ///< bytes of the schema and the first record after it
  std::uint64_t commits_ = 0;         ///< records after those
};

}  // namespace tandem::storage
