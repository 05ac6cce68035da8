#include "server/backup/diverged_file.h"

#include <fmt/chrono.h>

#include <ctime>

#include "server/storage/log_file.h"

namespace tandem {
namespace {

constexpr int kMaxFilesOfOneSecond = 100;

std::string date_text(const Clock& clock) {
  const auto seconds = static_cast<std::time_t>(clock.wall_ms() / 1000);
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
}

}  // namespace

Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const DatabaseSchema& schema,
                                   const std::vector<CommitRef>& commits) {
  const std::string base = path + ".diverged-" + date_text(clock);
  const std::string schema_text = to_text(schema.to_json());
  Result<std::unique_ptr<storage::LogFile>> log =
      storage::LogFile::create(files, base, schema_text);
  std::string name = base;
  for (int i = 2; !log && i <= kMaxFilesOfOneSecond; ++i) {
    name = base + '-' + std::to_string(i);
    log = storage::LogFile::create(files, name, schema_text);
  }
  if (!log) return log.error();
  std::vector<storage::PreparedRecord> records;
  for (const CommitRef& commit : commits) {
    if (!commit->record.empty()) records.push_back(storage::prepare_record(commit->record));
  }
  Result<void> written;
  if (!records.empty()) written = log.value()->append(records);
  if (written) written = log.value()->sync();
  if (!written) {
    log.value().reset();
    static_cast<void>(files.unlink(name));  // the error that counts is the first
    return written.error();
  }
  return DivergedFile{name, records.size()};
}

}  // namespace tandem
