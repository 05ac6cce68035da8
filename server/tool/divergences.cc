#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "replication/standing.h"
#include "server/storage/log_reader.h"
#include "server/tool/command.h"
#include "server/tool/database_file.h"
#include "server/tool/reapply.h"

// What servers have set aside: records that an active had not when they became its backups.

namespace tandem::tool {
namespace {

/// What a file that was set aside says of itself.
struct Divergence {
  std::string database;
  std::size_t records = 0;
  bool is_whole = false;      ///< all rows, instead of records
  Position from;              ///< the last record that the active has, too; of a whole one, the end
  std::int64_t since_ms = 0;  ///< of the first record
  std::vector<std::string> transactions;
};

std::string date_text(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

Result<Divergence> read(storage::FileSystem& files, const std::string& path) {
  Divergence found;
  std::optional<Reapply> reapply;
  const auto take = [&](const storage::Record& record) -> Result<void> {
    if (record.index == 0) {
      Result<SchemaRef> schema = schema_in_database(files, path);
      if (!schema) return schema.error();
      found.database = schema.value()->name();
      reapply.emplace(std::filesystem::path(path).filename().string(), std::move(schema.value()));
      return {};
    }
    Result<Reapply::Step> step = reapply->next(record);
    if (!step) return step.error();
    if (record.index == 1) {
      const PositionMarks marks = PositionMarks::parse(step.value().comment);
      if (!step.value().comment.starts_with("set aside by ") || !marks.snapshot)
        return user_error(path + ": not a file of records that were set aside");
      found.from = *marks.snapshot;
      found.is_whole = step.value().comment.find("all rows") != std::string::npos;
      return {};
    }
    if (found.records++ == 0) found.since_ms = step.value().date_ms;
    if (!step.value().transaction.empty())
      found.transactions.push_back(std::move(step.value().transaction));
    return {};
  };
  const Result<void> done = for_each_record(files, path, take);
  if (!done) return done.error();
  return found;
}

std::string line(const std::string& path, const Divergence& found) {
  if (found.is_whole) {
    return fmt::format("{}: database {}, all rows as they were at {}\n", path, found.database,
                       found.from.to_string());
  }
  return fmt::format("{}: database {}, {} records from {} on, behind {}\n", path, found.database,
                     found.records, date_text(found.since_ms), found.from.to_string());
}

Result<void> list_folder(const Environment& environment, const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.find(".diverged-") != std::string::npos && !name.starts_with('.'))
      paths.push_back(it->path().string());
  }
  if (error) return storage::io_error(folder, "open failed", error);
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    const Result<Divergence> found = read(environment.files, path);
    if (!found) return found.error();
    environment.out << line(path, found.value());
  }
  return {};
}

Result<void> print_transactions(const Environment& environment, const std::string& path) {
  const Result<Divergence> found = read(environment.files, path);
  if (!found) return found.error();
  if (found.value().is_whole) {
    return user_error(path +
                      ": holds all rows, as the records were not known one by one; query it as a "
                      "database");
  }
  for (const std::string& transaction : found.value().transactions)
    environment.out << transaction << '\n';
  return {};
}

}  // namespace

Result<int> divergences(const Environment& environment) {
  std::vector<std::string> places = environment.invocation.arguments;
  if (places.empty()) places.push_back(environment.invocation.directories.db);
  for (const std::string& place : places) {
    std::error_code ignored;
    const Result<void> done = std::filesystem::is_directory(place, ignored)
                                  ? list_folder(environment, place)
                                  : print_transactions(environment, place);
    if (!done) return done.error();
  }
  return kDone;
}

}  // namespace tandem::tool
