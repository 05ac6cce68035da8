#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "replication/standing.h"
#include "server/base/clock.h"
#include "server/database/history.h"
#include "server/database/snapshot.h"
#include "server/storage/file_system.h"

namespace tandem {

struct DivergedFile {
  std::string path;
  std::size_t records = 0;
};

/// Saves records that only this server has to `PATH.diverged-DATE`: the schema, a record with the
/// position that they start from and the rows that they will change, then the records as they stand
/// in the log, the oldest first. It replays like any other. Durable when it returns; on failure
/// nothing is left.
Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const DatabaseSchema& schema,
                                   const History::Tail& tail);
/// The same with all rows, as one record, when the records are not known one by one.
Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const Snapshot& rows,
                                   const Standing& standing);

/// How many such files lie beside the database; nobody but an operator removes them. Nothing if the
/// folder cannot be read. Waits for the disk.
std::optional<std::size_t> count_diverged(const std::string& path);

}  // namespace tandem
