#include "server/storage/compaction.h"

#include <array>
#include <cassert>

#include "server/logging/log.h"
#include "server/storage/record.h"
#include "server/storage/sha1.h"

// The header of a record holds the length and the SHA-1 of its body, but the body of a snapshot, 57
// MB for a large Southbound, should neither be kept in memory nor be encoded twice. So the header
// is written last, over room left for it. To know the room, the length is filled up with zeros to a
// fixed number of digits; ovsdb-server and ovsdb-tool read that as the decimal number it is. (They
// would also take spaces, which ovsdb(5) forbids.) The file has no name that anyone opens before it
// is complete.

namespace tandem::storage {
namespace {

log::Module ovsdb_log("ovsdb_log");

constexpr int kLengthDigits = 12;
constexpr std::size_t kWriteSize = 1 << 20;  // bytes

IoResult<void> write_piece(File& file, std::uint64_t& offset, std::string_view piece) {
  const IoResult<void> written = file.write_at(offset, {&piece, 1});
  if (written) offset += piece.size();
  return written;
}

/// No other file may have this name, though the disk works: a mount, or a folder whose owner lets
/// nobody else replace files.
bool is_about_the_name(boost::system::error_code error) {
  using namespace boost::system::errc;
  return error == device_or_resource_busy || error == cross_device_link ||
         error == operation_not_permitted || error == permission_denied;
}

}  // namespace

Result<std::unique_ptr<Compaction>> Compaction::begin(LogFile& log) {
  const DiskWait::Call call(log.writing_);
  if (const Result<void> writable = log.make_writable(); !writable) return writable.error();
  const std::string path = log.target_ + ".tmp";
  IoResult<std::unique_ptr<FileLock>> lock = log.files_.lock(lock_path_of(path));
  if (!lock) return io_error(path, "failed to lock lockfile", lock.error());
  (void)log.files_.unlink(path);  // a crash may have left one
  IoResult<std::unique_ptr<File>> file = log.files_.create(path, log.file_.get());
  if (!file) {
    (void)log.files_.unlink(lock_path_of(path));
    return io_error(path, "create failed", file.error());
  }
  return std::unique_ptr<Compaction>(new Compaction(log, path, std::move(*lock), std::move(*file)));
}

Compaction::Compaction(LogFile& log, std::string path, std::unique_ptr<FileLock> lock,
                       std::shared_ptr<File> file)
    : log_(log),
      path_(std::move(path)),
      lock_(std::move(lock)),
      file_(std::move(file)),
      old_(log.file_),
      copied_(log.size()),
      commits_(log.commits_) {}

Compaction::~Compaction() {
  const DiskWait::Call call(log_.writing_);
  if (stage_ != Stage::kDone) (void)log_.files_.unlink(path_);
  (void)log_.files_.unlink(lock_path_of(path_));
}

Result<void> Compaction::write_snapshot(std::string_view schema, const ChunkSource& snapshot) {
  return write_snapshot_to(*file_, schema, snapshot);
}

Result<void> Compaction::write_snapshot_on_writer(std::string_view schema,
                                                  const ChunkSource& snapshot) {
  const DiskWait::Call call(log_.writing_);
  WatchedFile watched(*file_, log_.writing_);
  return write_snapshot_to(watched, schema, snapshot);
}

Result<void> Compaction::write_snapshot_to(File& to, std::string_view schema,
                                           const ChunkSource& snapshot) {
  assert(stage_ == Stage::kBegun && "a snapshot is written once, after begin()");
  IoResult<void> done = write_schema(to, schema);
  if (done) done = stream(to, snapshot);
  compacted_size_ = end_;
  if (done) done = catch_up(to);
  if (!done) return failed(done.error());
  stage_ = Stage::kWritten;
  return {};
}

IoResult<void> Compaction::write_schema(File& to, std::string_view schema) {
  const PreparedRecord record = prepare_record(schema);
  const std::array<std::string_view, 3> pieces{record.header, record.body, "\n"};
  const IoResult<void> written = to.write_at(0, pieces);
  end_ = record.size();
  return written;
}

IoResult<void> Compaction::stream(File& to, const ChunkSource& snapshot) {
  const std::uint64_t header_offset = end_;
  const std::uint64_t body_offset = end_ + format_header(0, {}, kLengthDigits).size();
  end_ = body_offset;
  Sha1 sha1;
  std::string buffer;
  buffer.reserve(kWriteSize);
  for (bool more = true; more;) {
    std::string_view piece = snapshot();
    more = !piece.empty();
    if (!more) piece = "\n";
    sha1.add(piece);
    buffer += piece;
    if (more && buffer.size() < kWriteSize) continue;
    if (const IoResult<void> written = write_piece(to, end_, buffer); !written) return written;
    buffer.clear();
  }
  const std::string header = format_header(end_ - body_offset, sha1.finish(), kLengthDigits);
  const std::string_view piece = header;
  return to.write_at(header_offset, {&piece, 1});
}

IoResult<void> Compaction::catch_up(File& to) {
  const std::uint64_t log_end = log_.size();
  const IoResult<void> copied = copy_range(*old_, copied_, log_end, to, end_);
  if (!copied) return copied;
  end_ += log_end - copied_;
  copied_ = log_end;
  return to.sync();
}

Result<void> Compaction::finish() {
  assert(stage_ == Stage::kWritten && "only a complete snapshot replaces the log");
  const DiskWait::Call call(log_.writing_);
  if (const Result<void> writable = log_.make_writable(); !writable) return writable.error();
  WatchedFile watched(*file_, log_.writing_);
  if (const IoResult<void> done = catch_up(watched); !done) return failed(done.error());
  const IoResult<void> renamed = log_.files_.rename(path_, log_.target_);
  if (!renamed && is_about_the_name(renamed.error())) {
    ovsdb_log.info("{}: no other file can take its place ({}): it is overwritten", log_.target_,
                   renamed.error().message());
    return overwrite();
  }
  if (!renamed) {
    stage_ = Stage::kFailed;
    return io_error(log_.name_, "failed to rename " + path_ + " over it", renamed.error());
  }
  stage_ = Stage::kDone;
  log_.adopt(file_, {end_, compacted_size_, log_.commits_ - commits_});
  // The name now leads to the new file, but after a power loss it may lead to the old one, without
  // what comes next.
  if (const IoResult<void> synced = log_.files_.sync_folder(folder_of(log_.target_)); !synced)
    return log_.stop_writing("sync of its folder failed", synced.error());
  log_.note({}, end_);
  return {};
}

Result<void> Compaction::overwrite() {
  Result<void> done = log_.stage(*file_, {end_, compacted_size_, log_.commits_ - commits_});
  stage_ = done ? Stage::kDone : Stage::kFailed;
  (void)log_.files_.unlink(path_);
  if (done) done = log_.settle();
  return done;
}

Error Compaction::failed(boost::system::error_code error) {
  stage_ = Stage::kFailed;
  return io_error(path_, "write failed", error);
}

}  // namespace tandem::storage
