#include "server/backup/diverged_file.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "server/database/record_codec.h"
#include "server/storage/log_file.h"

namespace tandem {
namespace {

constexpr int kMaxFilesOfOneSecond = 100;
constexpr std::string_view kMark = ".diverged-";

std::string date_text(const Clock& clock) {
  const auto seconds = static_cast<std::time_t>(clock.wall_ms() / 1000);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
}

/// The rows that the commits find and change, as they were before: with them the file replays.
std::vector<RowChange> rows_before(const std::vector<CommitRef>& commits) {
  std::vector<RowChange> rows;
  boost::unordered_flat_set<Uuid> seen;
  for (const CommitRef& commit : commits) {
    for (const RowChange& change : commit->changes) {
      if (seen.insert(change.uuid()).second && change.before)
        rows.push_back({change.table, RowRef(), change.before});
    }
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table < b.table; });
  return rows;
}

/// Creates the file; nobody's file is overwritten.
Result<std::unique_ptr<storage::LogFile>> create_beside(storage::FileSystem& files,
                                                        const std::string& base,
                                                        const std::string& schema,
                                                        std::string& name) {
  name = base;
  Result<std::unique_ptr<storage::LogFile>> log = storage::LogFile::create(files, name, schema);
  for (int i = 2; !log && i <= kMaxFilesOfOneSecond; ++i) {
    name = base + '-' + std::to_string(i);
    log = storage::LogFile::create(files, name, schema);
  }
  return log;
}

Result<DivergedFile> save(storage::FileSystem& files, const Clock& clock, const std::string& path,
                          const DatabaseSchema& schema, const std::vector<std::string_view>& bodies,
                          std::size_t records_aside) {
  std::string name;
  Result<std::unique_ptr<storage::LogFile>> log =
      create_beside(files, path + std::string(kMark) + date_text(clock), to_text(schema), name);
  if (!log) return log.error();
  std::vector<storage::PreparedRecord> records;
  records.reserve(bodies.size());
  for (const std::string_view body : bodies) records.push_back(storage::prepare_record(body));
  Result<void> written = log.value()->append(records);
  if (written) written = log.value()->sync();
  if (!written) {
    log.value().reset();
    static_cast<void>(files.unlink(name));  // the error that counts is the first
    return written.error();
  }
  return DivergedFile{name, records_aside};
}

}  // namespace

Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const DatabaseSchema& schema,
                                   const History::Tail& tail) {
  // The records get their positions from here, and the rows that they change.
  const std::string start = encode_record(
      schema, rows_before(tail.commits),
      "set aside by tandem-server: records that only this server had\n" + snapshot_mark(tail.from),
      clock.wall_ms(), ColumnForm::kDifference);
  std::vector<std::string_view> bodies{start};
  for (const CommitRef& commit : tail.commits) {
    if (!commit->record.empty()) bodies.emplace_back(commit->record);
  }
  return save(files, clock, path, schema, bodies, bodies.size() - 1);
}

Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const Snapshot& rows,
                                   const Standing& standing) {
  SnapshotRecord record(rows,
                        "set aside by tandem-server: all rows, as the history does not reach back "
                        "to what the active server has\n" +
                            standing.marks(),
                        clock.wall_ms());
  std::string body;
  for (std::string_view piece = record.next(); !piece.empty(); piece = record.next()) body += piece;
  return save(files, clock, path, *rows.schema, {body}, 1);
}

std::optional<std::size_t> count_diverged(const std::string& path) {
  const std::filesystem::path base(path);
  const std::string begin = base.filename().string() + std::string(kMark);
  std::error_code error;
  std::filesystem::directory_iterator entry(base.parent_path(), error);
  std::size_t count = 0;
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename().string().starts_with(begin)) ++count;
  }
  return error ? std::nullopt : std::optional(count);
}

}  // namespace tandem
