#include <fmt/core.h>

#include "server/database/schema_conversion.h"
#include "server/storage/compaction.h"
#include "server/tool/command.h"
#include "server/tool/database_file.h"

// Commands that make a file of a schema and at most one record of rows: create, compact, convert.

namespace tandem::tool {
namespace {

using storage::LogFile;

/// What a new file shall hold.
struct Contents {
  Snapshot rows;
  std::string comment;
};

std::string comment(std::string_view what, const Standing& standing) {
  return fmt::format("{} by tandem-tool " TANDEM_VERSION "\n{}", what, standing.marks());
}

/// Puts a new file in place of the log's.
Result<void> replace(LogFile& log, const Contents& contents, const Clock& clock) {
  auto compaction = storage::Compaction::begin(log);
  if (!compaction) return compaction.error();
  SnapshotRecord record(contents.rows, contents.comment, clock.wall_ms());
  const Result<void> written =
      (*compaction)->write_snapshot(schema_text(*contents.rows.schema), [&] {
        return record.next();
      });
  if (!written) return written;
  return (*compaction)->finish();
}

/// Makes a file that must not exist yet, unlike ovsdb-tool 3.1, which overwrites what ovsdb-tool(1)
/// says must not exist.
Result<void> write_new(storage::FileSystem& files, const std::string& path,
                       const Contents& contents, const Clock& clock) {
  const auto log = LogFile::create(files, path, schema_text(*contents.rows.schema));
  if (!log) return log.error();
  const Result<void> written = replace(**log, contents, clock);
  if (!written) (void)files.unlink(path);
  return written;
}

/// Writes what `make` makes of database number 0, in place or to the target number `target`.
template <class Make>
Result<int> rewrite(const Environment& environment, std::size_t target, Make&& make) {
  const Invocation& invocation = environment.invocation;
  const bool in_place = invocation.arguments.size() <= target;
  const auto database = open_database(
      environment.files, invocation.database(0),
      in_place ? LogFile::Access::kReadWrite : LogFile::Access::kReadOnly, environment.clock);
  if (!database) return database.error();
  const Result<Contents> contents = make(**database);
  if (!contents) return contents.error();
  const Result<void> written = in_place ? replace(*(*database)->log(), *contents, environment.clock)
                                        : write_new(environment.files, invocation.arguments[target],
                                                    *contents, environment.clock);
  if (!written) return written.error();
  return kDone;
}

}  // namespace

Result<int> create(const Environment& environment) {
  const auto schema = schema_in_file(environment.files, environment.invocation.schema(1));
  if (!schema) return schema.error();
  const auto log =
      LogFile::create(environment.files, environment.invocation.database(0), schema_text(**schema));
  if (!log) return log.error();
  return kDone;
}

Result<int> compact(const Environment& environment) {
  return rewrite(environment, 1, [](const StoredDatabase& database) -> Result<Contents> {
    return Contents{database.database().snapshot(), comment("compacted", database.standing())};
  });
}

Result<int> convert(const Environment& environment) {
  const auto schema = schema_in_file(environment.files, environment.invocation.schema(1));
  if (!schema) return schema.error();
  return rewrite(environment, 2, [&](const StoredDatabase& database) -> Result<Contents> {
    const auto converted = convert_database(database.database().snapshot(), *schema);
    if (!converted) return converted.error();
    // Other rows than any server has at this position: a history of its own, as StoredDatabase has
    // it.
    Standing standing = database.standing();
    standing.position.digest = Uuid::random();
    ++standing.position.index;
    return Contents{(*converted)->snapshot(), comment("converted", standing)};
  });
}

}  // namespace tandem::tool
