#include <fmt/core.h>

#include <optional>
#include <ostream>

#include "server/database/schema_conversion.h"
#include "server/tool/command.h"
#include "server/tool/damaged_file.h"
#include "server/tool/database_file.h"
#include "server/tool/log_printer.h"

// Commands that look at the records of a file: check, position, show-log.

namespace tandem::tool {

namespace {

/// Prints where the file is damaged, and returns how many gaps have whole records behind them.
Result<std::uint64_t> list_damage(const Environment& environment, const std::string& path) {
  std::uint64_t whole = 0;
  std::uint64_t before = 0;
  std::uint64_t damaged = 0;
  const auto found = for_each_piece(
      environment.files, path,
      [&](const storage::Record&) -> Result<void> {
        whole++;
        return {};
      },
      [&](const Gap& gap) {
        if (gap.is_tail && damaged == 0) return;  // torn, by an unfinished write
        if (damaged == 0) before = whole;
        damaged++;
        environment.out << fmt::format("{}: damaged at {}\n", path, gap.to_string());
      });
  if (!found) return found.error();
  if (damaged > 0) {
    environment.out << fmt::format("{}: {} whole records before the damage, {} behind it\n", path,
                                   before, whole - before);
  }
  return damaged;
}

}  // namespace

Result<int> check(const Environment& environment) {
  const std::string path = environment.invocation.database(0);
  const Result<std::uint64_t> damaged = list_damage(environment, path);
  if (!damaged) return damaged.error();
  const Result<std::optional<storage::Damage>> marked =
      storage::LogFile::marked_damage(environment.files, path);
  if (!marked) return marked.error();
  if (*marked)
    environment.out << fmt::format("{}: {}, as {}.mending says\n", path, (*marked)->to_string(),
                                   path);
  if (*damaged > 0) return kNo;
  StoredDatabase::Options options;
  options.access = storage::LogFile::Access::kReadOnly;
  const auto database = StoredDatabase::open(environment.files, path, options, environment.clock);
  if (!database) return database.error();
  const storage::LogFile& log = *(*database)->log();
  if (const auto refused = log.health().damage) {
    environment.out << fmt::format("{}: {}\n", path, refused->to_string());
    return kNo;
  }
  if (const auto& torn = log.tail_error()) {
    environment.out << fmt::format(
        "{}: its last record is torn: a server is writing it, or was interrupted and drops it at "
        "its next start\n",
        path);
    return *torn;
  }
  // Conversion to the same schema judges every rule of a commit.
  const Database& rows = (*database)->database();
  if (const auto judged = convert_database(rows.snapshot(), rows.schema()); !judged) {
    return judged.error();
  }
  if (*marked) return kNo;
  environment.out << fmt::format("{}: good: database {}, {} rows, {} bytes, position {}\n", path,
                                 rows.schema()->name(), rows.row_count(), log.size(),
                                 (*database)->position().to_string());
  return kDone;
}

Result<int> position(const Environment& environment) {
  Position position;
  const auto read = for_each_record(environment.files, environment.invocation.database(0),
                                    [&](const storage::Record& record) -> Result<void> {
                                      if (record.index == 0) {
                                        position = first_position(record.sha1);
                                        return {};
                                      }
                                      const auto comment = storage::record_comment(record.body);
                                      if (!comment) return record.not_an_object();
                                      position = after_record(position, record.sha1, *comment);
                                      return {};
                                    });
  if (!read) return read.error();
  environment.out << position.to_string() << '\n';
  return kDone;
}

Result<int> show_log(const Environment& environment) {
  LogPrinter printer(environment.out, environment.invocation.more);
  const auto read =
      for_each_record(environment.files, environment.invocation.database(0),
                      [&](const storage::Record& record) { return printer.print(record); });
  if (!read) return read.error();
  return kDone;
}

}  // namespace tandem::tool
