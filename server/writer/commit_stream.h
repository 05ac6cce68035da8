#pragma once

#include <string>

#include "replication/stream.h"
#include "server/database/commit.h"
#include "server/database/snapshot.h"

namespace tandem {

/// A commit as backups receive it: its record's own text, and what ephemeral columns got.
StreamTextRef stream_text(const std::string& database, const CommitRef& commit);

/// <table-updates> of the ephemeral columns that a commit changed; empty: none.
std::string ephemeral_updates(const Commit& commit);
/// The same of all rows: what a backup cannot know that has been away, or whose active has, as no
/// file has it.
std::string ephemeral_updates(const Snapshot& snapshot);

}  // namespace tandem
