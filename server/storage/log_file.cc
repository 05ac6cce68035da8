#include "server/storage/log_file.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <vector>

#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/storage/log_reader.h"
#include "server/storage/staged_file.h"

namespace tandem::storage {
namespace {

log::Module ovsdb_log("ovsdb_log");
EventCount writes("log_write");
EventCount records_written("log_record");
EventCount writes_failed("log_write_failed");
EventCount syncs("log_sync");

/// So many bytes at least must be free, after a write that found no room, before the disk counts as
/// one that has some.
constexpr std::uint64_t kRoom = std::uint64_t{1} << 20;
/// Before so many looks after a failed write nothing is tried.
constexpr int kLooks = 5;

/// One that File::room() can tell of: a quota is none.
bool is_want_of_room(boost::system::error_code error) {
  return error == boost::system::errc::no_space_on_device ||
         error == boost::system::errc::file_too_large;
}

std::string date_text(std::chrono::system_clock::time_point now) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

}  // namespace

LogFile::LogFile(FileSystem& files, std::string name, std::string target)
    : files_(files), name_(std::move(name)), target_(std::move(target)) {}

Result<std::unique_ptr<LogFile>> LogFile::open(FileSystem& files, const std::string& name,
                                               Access access,
                                               std::chrono::system_clock::time_point now,
                                               const Replay& replay) {
  const IoResult<std::string> target = files.resolve(name);
  if (!target) return io_error(name, "open failed", target.error());
  std::unique_ptr<LogFile> log(new LogFile(files, name, *target));
  log->opened_at_ = date_text(now);
  if (access == Access::kReadWrite)
    if (const Result<void> locked = log->lock(); !locked) return locked.error();

  IoResult<std::unique_ptr<File>> file =
      access == Access::kReadWrite ? files.open(*target, access) : open_to_read(files, *target);
  if (!file) return io_error(name, "open failed", file.error());
  log->file_ = std::move(*file);
  if (access == Access::kReadWrite)
    if (const Result<void> finished = log->finish_overwriting(); !finished) return finished.error();
  if (const Result<void> standalone = check_file_type(*log->file_, name); !standalone)
    return standalone.error();
  if (const Result<void> replayed = log->replay_all(replay); !replayed) return replayed.error();
  if (access == Access::kReadWrite && !log->damage_) {  // what was just found is newer
    Result<std::optional<Damage>> marked = marked_damage(files, name);
    if (!marked) return marked.error();
    log->damage_ = std::move(*marked);
  }
  return log;
}

Result<std::unique_ptr<LogFile>> LogFile::create(FileSystem& files, const std::string& name,
                                                 std::string_view schema) {
  const IoResult<std::string> target = files.resolve(name);
  if (!target) return io_error(name, "create failed", target.error());
  std::unique_ptr<LogFile> log(new LogFile(files, name, *target));
  if (const Result<void> locked = log->lock(); !locked) return locked.error();

  IoResult<std::unique_ptr<File>> file = files.create(*target, nullptr);
  if (!file) return io_error(name, "create failed", file.error());
  log->file_ = std::move(*file);
  const PreparedRecord record = prepare_record(schema);
  Result<void> done = log->append({&record, 1});
  if (done) done = log->sync();
  if (done)
    if (const IoResult<void> synced = files.sync_folder(folder_of(*target)); !synced)
      done = io_error(name, "create failed", synced.error());
  if (!done) {
    (void)files.unlink(*target);
    return done.error();
  }
  log->compacted_size_ = log->size();
  log->commits_ = 0;
  return log;
}

Result<void> LogFile::lock() {
  IoResult<std::unique_ptr<FileLock>> lock = files_.lock(lock_path_of(target_));
  if (!lock && lock.error() == boost::system::errc::resource_deadlock_would_occur)
    return Error{"ovsdb error", name_ + ": already open", std::nullopt};
  if (!lock) return io_error(name_, "failed to lock lockfile", lock.error());
  lock_ = std::move(*lock);
  return {};
}

Result<void> LogFile::replay_all(const Replay& replay) {
  LogReader reader(*file_, name_);
  while (true) {
    const Result<std::optional<Record>> record = reader.next();
    std::optional<Error> bad;
    if (!record)
      bad = record.error();
    else if (!*record)
      return end_clean();
    else if (const Result<void> accepted = replay(**record); !accepted)
      bad = accepted.error();

    if (bad) return end_at(std::move(*bad), reader);
    end_ = reader.end_of_records();
    records_++;
    if ((*record)->index <= 1)
      compacted_size_ = end_;
    else
      commits_++;
  }
}

/// Of contents that were being staged at a crash something may be left behind the last record.
Result<void> LogFile::end_clean() {
  const IoResult<std::uint64_t> size = file_->size();
  if (!size) return io_error(name_, "read failed", size.error());
  if (*size > end_) tail_ = Tail::kLeftOver;
  return {};
}

Result<void> LogFile::append(std::span<const PreparedRecord> batch) {
  assert(lock_ && "only a log that was opened for writing is written");
  if (tail_ == Tail::kDamaged) return damaged_error();
  const DiskWait::Call call(writing_);
  const std::uint64_t before = end_;
  Result<void> written = write(batch);
  write_times_.add(call.lasted_us());
  note(written, end_ - before);
  return written;
}

Result<void> LogFile::write(std::span<const PreparedRecord> batch) {
  if (const Result<void> writable = make_writable(); !writable) return writable.error();

  std::vector<std::string_view> pieces;
  pieces.reserve(3 * batch.size());
  std::uint64_t size = 0;
  for (const PreparedRecord& record : batch) {
    pieces.insert(pieces.end(), {record.header, record.body, "\n"});
    size += record.size();
  }
  writes.add();
  if (const IoResult<void> written = file_->write_at(end_, pieces); !written) {
    writes_failed.add();
    if (is_want_of_room(written.error())) failed_bytes_ = std::max(failed_bytes_, size);
    if (!file_->truncate(end_)) tail_ = Tail::kLeftOver;
    return io_error(name_, "write failed", written.error());
  }
  end_.store(end_ + size, std::memory_order_release);
  commits_ += batch.size();
  records_written.add(batch.size());
  return {};
}

void LogFile::note(const Result<void>& written, std::uint64_t bytes) {
  looks_ = 0;
  if (!written == failure_.has_value()) return;
  if (written && !has_room_again(bytes)) return;
  const MutexLock guard(mutex_);
  if (!written) {
    failure_ = written.error();
    failing_since_ = std::chrono::system_clock::now();
    if (!stopped_) ovsdb_log.warn("{}", written.error().to_string());
  } else {
    failure_.reset();
    ovsdb_log.info("{}: writing succeeds again", target_);
  }
}

/// A full disk takes small writes when it has refused large ones: what remains of its last blocks.
/// That is no end of the trouble, which would begin anew with the next large one.
bool LogFile::has_room_again(std::uint64_t bytes) {
  // Where room cannot be told the write that succeeded is all that is known.
  if (bytes < failed_bytes_ && !has_room().value_or(true)) return false;
  failed_bytes_ = 0;
  return true;
}

std::optional<bool> LogFile::has_room() const {
  const IoResult<std::uint64_t> room = file_->room(end_);
  if (!room) return std::nullopt;
  return *room >= std::max(failed_bytes_, kRoom);
}

bool LogFile::look_again() {
  if (!is_failing()) return true;
  const DiskWait::Call call(writing_);
  const bool lacks_room = failed_bytes_ > 0;
  if (!lacks_room && ++looks_ < kLooks) return false;
  if (lacks_room ? !has_room().value_or(false) : !rewrite_last_byte()) return false;
  note({}, failed_bytes_);
  return true;
}

bool LogFile::rewrite_last_byte() {
  std::array<char, 1> last{};
  const IoResult<std::size_t> read = file_->read_at(end_ - 1, last);
  if (!read || *read != last.size()) return false;
  const std::string_view piece(last.data(), last.size());
  return static_cast<bool>(file_->write_at(end_ - 1, std::span(&piece, 1)));
}

Result<void> LogFile::make_writable() {
  {
    const MutexLock guard(mutex_);
    if (stopped_) return *stopped_;
  }
  switch (tail_) {
    case Tail::kNone:
      return {};
    case Tail::kFound:
      if (const Result<std::string> kept = keep_aside(end_, "torn"); !kept) return kept.error();
      break;
    case Tail::kDamaged:
      return damaged_error();
    case Tail::kLeftOver:
      break;
    case Tail::kStaged:
      return settle();
  }
  if (const IoResult<void> cut = file_->truncate(end_); !cut)
    return io_error(name_, "truncate failed", cut.error());
  tail_ = Tail::kNone;
  return {};
}

Result<void> LogFile::sync() {
  std::shared_ptr<File> file;
  {
    const MutexLock guard(mutex_);
    if (stopped_) return *stopped_;
    file = file_;
  }
  syncs.add();
  const DiskWait::Call call(syncing_);
  const IoResult<void> synced = file->sync();
  sync_times_.add(call.lasted_us());
  if (synced) return {};
  {
    // A compaction has meanwhile written the same records, and synced them, elsewhere.
    const MutexLock guard(mutex_);
    if (file != file_) return {};
  }
  return stop_writing("sync failed", synced.error());
}

Error LogFile::stop_writing(std::string_view what, boost::system::error_code error) {
  const MutexLock guard(mutex_);
  if (!stopped_) {
    stopped_ = io_error(name_, what, error);
    failing_since_ = std::chrono::system_clock::now();
    ovsdb_log.err("{}: {} ({}); no more transactions are accepted", target_, what, error.message());
  }
  return *stopped_;
}

void LogFile::adopt(std::shared_ptr<File> file, const Extent& extent) {
  const MutexLock guard(mutex_);
  file_.swap(file);  // the former one is closed without the mutex
  end_.store(extent.end, std::memory_order_release);
  compacted_size_ = extent.compacted_size;
  commits_ = extent.commits;
}

LogHealth LogFile::health() const {
  LogHealth health;
  health.waiting = std::max(writing_.waited(), syncing_.waited());
  const MutexLock guard(mutex_);
  health.failure = stopped_ ? stopped_ : failure_;
  health.stopped = stopped_.has_value();
  health.failing_since = failing_since_;
  health.damage = damage_;
  return health;
}

}  // namespace tandem::storage
