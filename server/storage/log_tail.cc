// How a log ends that does not end with a good record. A crash leaves part of what was being
// written: a record at the end of the file whose length or digest does not hold, or zeros, where
// the file had grown and its bytes had not come yet. A bad record with whole ones behind it is
// damage. A whole last record that the database refuses is no damage, because ovsdb-server takes it
// for a torn one, and so do scripts; like those it is kept aside, not lost.
//
// A power loss may also leave a hole with whole records behind it, if the disk wrote the later
// blocks first. These were written after the last flush that had returned, so nobody was promised
// that they last. But the file does not say how far that flush reached, and a disk that has lost a
// block in the middle leaves the same; so it counts as damage, and nothing is cut off.

#include <fmt/core.h>

#include <algorithm>

#include "server/logging/log.h"
#include "server/storage/log_file.h"
#include "server/storage/log_reader.h"
#include "server/storage/record_search.h"

namespace tandem::storage {
namespace {

log::Module ovsdb_log("ovsdb_log");

}  // namespace

/// The log ends before the record that is bad, or was refused.
Result<void> LogFile::end_at(Error bad, const LogReader& reader) {
  const bool have_schema = end_ > 0;
  // Nothing may be cut off only because the disk did not answer.
  if (!have_schema || reader.end() == LogEnd::kNoRead) return bad;
  const std::uint64_t bad_end = std::max(reader.end_of_records(), end_ + 1);
  const IoResult<std::uint64_t> whole = count_whole_records(*file_, bad_end);
  const IoResult<std::uint64_t> size = file_->size();
  if (!whole || !size) return io_error(name_, "read failed", whole ? size.error() : whole.error());
  tail_error_ = bad;
  tail_ = *whole > 0 ? Tail::kDamaged : Tail::kFound;
  if (tail_ == Tail::kDamaged)
    damage_ = Damage{end_, *size - end_, records_, *whole, std::move(bad), ""};
  return {};
}

void LogFile::warn_of_tail() const {
  if (damage_) {
    ovsdb_log.err(
        "{}: {}; the database is read-only, as a backup, until it has taken its contents from an "
        "active server (tandem/demote REMOTE); where there is none, \"tandem-tool salvage\" writes "
        "what is whole to a new file, and \"tandem/promote --damaged\" gives up what is behind the "
        "damage",
        name_, damage_->to_string());
  } else if (tail_ == Tail::kFound) {
    ovsdb_log.warn("{}", tail_error_->to_string());  // as ovsdb-server, and no more
  }
}

Result<std::string> LogFile::keep_aside(std::uint64_t begin, std::string_view kind) {
  const IoResult<std::uint64_t> file_size = file_->size();
  if (!file_size) return io_error(name_, "read failed", file_size.error());
  const Result<std::string> path = free_path(fmt::format("{}.{}-{}", target_, kind, opened_at_));
  if (!path) return path;

  // It has its name when it is whole: a crash leaves a part under this one, which the next
  // replaces.
  const std::string part = target_ + ".aside";
  (void)files_.unlink(part);
  const IoResult<std::unique_ptr<File>> aside = files_.create(part, file_.get());
  if (!aside) return io_error(part, "create failed", aside.error());
  IoResult<void> done = copy_range(*file_, begin, *file_size, **aside, 0);
  if (done) done = (*aside)->sync();
  if (done) done = files_.rename(part, *path);
  if (!done) {
    (void)files_.unlink(part);
  } else if (done = files_.sync_folder(folder_of(*path)); !done) {
    (void)files_.unlink(*path);
  }
  if (!done) return io_error(*path, "write failed", done.error());
  ovsdb_log.dbg("{}: kept {} bytes in {}", name_, *file_size - begin, *path);
  return path;
}

Result<std::string> LogFile::free_path(const std::string& wanted) {
  std::string path = wanted;
  for (int n = 2;; n++) {
    const IoResult<std::unique_ptr<File>> found = files_.open(path, Access::kReadOnly);
    if (!found && found.error() == boost::system::errc::no_such_file_or_directory)
      return Result<std::string>(boost::system::in_place_value, std::move(path));
    if (!found && found.error() != boost::system::errc::permission_denied)
      return io_error(path, "open failed", found.error());
    path = fmt::format("{}-{}", wanted, n);
  }
}

}  // namespace tandem::storage
