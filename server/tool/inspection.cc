#include <fmt/core.h>

#include <ostream>

#include "server/database/schema_conversion.h"
#include "server/tool/command.h"
#include "server/tool/database_file.h"
#include "server/tool/log_printer.h"

// Commands that look at the records of a file: check, position, show-log.

namespace tandem::tool {

Result<int> check(const Environment& environment) {
  const std::string path = environment.invocation.database(0);
  const auto database = open_database(environment.files, path, storage::LogFile::Access::kReadOnly,
                                      environment.clock);
  if (!database) return database.error();
  // Conversion to the same schema judges every rule of a commit.
  const Database& rows = (*database)->database();
  if (const auto judged = convert_database(rows.snapshot(), rows.schema()); !judged) {
    return judged.error();
  }
  environment.out << fmt::format("{}: good: database {}, {} rows, {} bytes, position {}\n", path,
                                 rows.schema()->name(), rows.row_count(),
                                 (*database)->log()->size(), (*database)->position().to_string());
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
