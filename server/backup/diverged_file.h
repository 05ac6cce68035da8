#pragma once

#include <string>
#include <vector>

#include "server/database/clock.h"
#include "server/database/commit.h"
#include "server/storage/file_system.h"

namespace tandem {

struct DivergedFile {
  std::string path;
  std::size_t records = 0;
};

/// Saves records that only this server has to `PATH.diverged-DATE`: the schema, then the records as
/// they stand in the log, the oldest first. A log file like any other for show-log, but changes of
/// rows that are not in it do not replay. Durable when it returns; on failure nothing is left.
Result<DivergedFile> save_diverged(storage::FileSystem& files, const Clock& clock,
                                   const std::string& path, const DatabaseSchema& schema,
                                   const std::vector<CommitRef>& commits);

}  // namespace tandem
