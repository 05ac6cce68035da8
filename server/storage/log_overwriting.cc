// How a log goes over to other contents where no other file may take its name: overwriting.h.

#include "server/logging/log.h"
#include "server/storage/log_file.h"
#include "server/storage/overwriting.h"

namespace tandem::storage {
namespace {

log::Module ovsdb_log("ovsdb_log");

}  // namespace

Result<void> LogFile::finish_overwriting() {
  IoResult<bool> settled = settle_staged(*file_);
  if (settled && *settled)
    if (const IoResult<void> cut = file_->sync(); !cut)
      settled = {boost::system::in_place_error, cut.error()};
  if (!settled)
    return io_error(name_, "an interrupted compaction cannot be finished", settled.error());
  if (*settled) ovsdb_log.info("{}: finished a compaction that was interrupted", target_);
  return {};
}

Result<void> LogFile::stage(File& contents, const Extent& extent) {
  const IoResult<std::unique_ptr<File>> file = files_.open_again(target_, *file_);
  if (!file) return io_error(name_, "open failed", file.error());
  WatchedFile to(**file, writing_);
  const WatchedFile from(contents, writing_);
  if (const IoResult<void> staged = stage_contents(to, end_, from, extent.end); !staged) {
    if (!file_->truncate(end_)) tail_ = Tail::kLeftOver;
    return io_error(name_, "write failed", staged.error());
  }
  tail_ = Tail::kStaged;
  staged_ = extent;
  return {};
}

Result<void> LogFile::settle() {
  Result<void> settled = put_in_place();
  note(settled, staged_.end);
  return settled;
}

/// By a descriptor that becomes that of the log: it has seen the errors of these writes alone.
Result<void> LogFile::put_in_place() {
  IoResult<std::unique_ptr<File>> file = files_.open_again(target_, *file_);
  if (!file) return io_error(name_, "open failed", file.error());
  WatchedFile watched(**file, writing_);
  const IoResult<bool> settled = settle_staged(watched);
  if (!settled) return io_error(name_, "write failed", settled.error());
  if (!*settled)
    return stop_writing("its contents were changed by somebody else",
                        boost::system::errc::make_error_code(boost::system::errc::io_error));
  const IoResult<void> cut = watched.sync();
  tail_ = Tail::kNone;
  adopt(std::move(*file), staged_);
  if (!cut) return stop_writing("sync failed", cut.error());
  return {};
}

}  // namespace tandem::storage
