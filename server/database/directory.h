#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "protocol/schema.h"

namespace tandem {

namespace storage {
class LogFile;
}

/// A database as clients' threads know it. A new one (with a new generation) takes its place when
/// the schema changes.
struct DatabaseInfo {
  std::string name;
  std::uint64_t generation = 0;  ///< unique in the process
  SchemaRef schema;
  std::string file = {};                           ///< absolute; empty: it has none
  std::weak_ptr<const storage::LogFile> log = {};  ///< for its health
};
using DatabaseInfoRef = std::shared_ptr<const DatabaseInfo>;

/// The databases that are served, by name, "_Server" included. Immutable; the writer publishes a
/// new one with each change.
using Directory = std::map<std::string, DatabaseInfoRef, std::less<>>;
using DirectoryRef = std::shared_ptr<const Directory>;

}  // namespace tandem
