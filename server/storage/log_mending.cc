// What becomes of a damaged file. Its contents come from another server, record by record, and a
// crash may come between: then the file is whole, but lacks what stood behind the damage. So a mark
// beside it, NAME.mending, says so from the cut on until all is there again. (Rejected: a new file
// that takes its place at the end. What is acknowledged meanwhile has to be in the file that
// the next start opens.)

#include <fmt/core.h>

#include <cassert>

#include "server/logging/log.h"
#include "server/storage/log_file.h"

namespace tandem::storage {
namespace {

log::Module ovsdb_log("ovsdb_log");

std::string mark_path_of(const std::string& target) { return target + ".mending"; }

}  // namespace

Result<void> LogFile::set_damage_aside() {
  if (tail_ != Tail::kDamaged) return {};
  assert(lock_ && "only a log that was opened for writing is written");
  if (damage_->kept_as.empty()) {
    Result<std::string> kept = keep_aside(0, "damaged");
    if (!kept) return kept.error();
    const MutexLock guard(mutex_);
    damage_->kept_as = std::move(*kept);
  }
  if (Result<void> marked = write_mark(*damage_); !marked) return marked;
  if (const IoResult<void> cut = file_->truncate(end_); !cut)
    return io_error(name_, "truncate failed", cut.error());
  tail_ = Tail::kNone;
  return {};
}

Result<void> LogFile::mend() {
  if (!damage_) return {};
  if (Result<void> aside = set_damage_aside(); !aside) return aside;
  IoResult<void> done = files_.unlink(mark_path());
  if (done) done = files_.sync_folder(folder_of(target_));
  if (!done) return io_error(mark_path(), "remove failed", done.error());
  ovsdb_log.info("{}: is whole again; the damaged file is kept as {}", name_, damage_->kept_as);
  const MutexLock guard(mutex_);
  damage_.reset();
  return {};
}

Result<void> LogFile::write_mark(const Damage& damage) {
  (void)files_.unlink(mark_path());
  const std::string text = damage.to_mark();
  const std::string_view piece = text;
  const IoResult<std::unique_ptr<File>> mark = files_.create(mark_path(), file_.get());
  if (!mark) return io_error(mark_path(), "create failed", mark.error());
  IoResult<void> done = (*mark)->write_at(0, {&piece, 1});
  if (done) done = (*mark)->sync();
  if (done) done = files_.sync_folder(folder_of(target_));
  if (!done) return io_error(mark_path(), "write failed", done.error());
  return {};
}

Result<std::optional<Damage>> LogFile::marked_damage(FileSystem& files, const std::string& name) {
  const IoResult<std::string> target = files.resolve(name);
  if (!target) return io_error(name, "open failed", target.error());
  const std::string path = mark_path_of(*target);
  const IoResult<std::unique_ptr<File>> mark = files.open(path, Access::kReadOnly);
  if (!mark && mark.error() == boost::system::errc::no_such_file_or_directory)
    return std::optional<Damage>();
  std::string text(4096, '\0');
  const IoResult<std::size_t> got = mark ? (*mark)->read_at(0, text) : mark.error();
  if (!got) return io_error(path, "read failed", got.error());
  text.resize(*got);
  return std::optional(Damage::from_mark(text));
}

std::string LogFile::mark_path() const { return mark_path_of(target_); }

Error LogFile::damaged_error() const {
  return Error{"not allowed", fmt::format("{}: {}", name_, damage_->to_string()), std::nullopt};
}

}  // namespace tandem::storage
