#pragma once

#include <functional>
#include <memory>
#include <string>

#include "protocol/json/value.h"
#include "protocol/schema.h"
#include "server/database/stored_database.h"
#include "server/storage/file_system.h"
#include "server/storage/record.h"

// What the commands read from files. Errors are in ovsdb-tool's words.

namespace tandem::tool {

enum class FileKind {
  kStandalone,  ///< what we read and write
  kClustered,   ///< what only Open vSwitch does
};

/// Fails if the file cannot be read or is no database.
Result<FileKind> file_kind(storage::FileSystem& files, const std::string& path);

/// Gives all records of a database in order, the schema's too.
Result<void> for_each_record(storage::FileSystem& files, const std::string& path,
                             const std::function<Result<void>(const storage::Record&)>& visit);

/// The JSON object that is the record's body.
Result<Json> read_object(const storage::Record& record);

/// The schema in the first record of a database.
Result<SchemaRef> schema_in_database(storage::FileSystem& files, const std::string& path);
/// The schema that is a file of its own (".ovsschema").
Result<SchemaRef> schema_in_file(storage::FileSystem& files, const std::string& path);

/// A schema as it stands in a file.
std::string schema_text(const DatabaseSchema& schema);

/// The database with all rows. Read-only: without lock, and nothing may be flushed. Fails if any
/// record is bad: unlike a server, nobody waits for us to go on with the rest.
Result<std::unique_ptr<StoredDatabase>> open_database(storage::FileSystem& files,
                                                      const std::string& path,
                                                      storage::LogFile::Access access,
                                                      const Clock& clock);

}  // namespace tandem::tool
