#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.h"
#include "protocol/schema.h"

namespace tandem {

namespace storage {
class LogFile;
}

/// A database as clients' threads know it. A new one (with a new generation) takes its place when
/// the schema changes, or becomes known.
struct DatabaseInfo {
  std::string name;
  std::uint64_t generation = 0;  ///< unique in the process
  SchemaRef schema;
  std::string file = {};                           ///< absolute; empty: it has none
  std::weak_ptr<const storage::LogFile> log = {};  ///< for its health
  bool relay = false;     ///< a copy of what another server has, without a file
  bool available = true;  ///< false: a relay that has nothing yet; the schema then has no table
};
using DatabaseInfoRef = std::shared_ptr<const DatabaseInfo>;

/// What a client is told that asks for a database which is not available.
inline Error not_available(std::string_view method, std::string_view database) {
  return {"database not available",
          std::string(method) + " request specifies database " + std::string(database) +
              " which is not yet available because it has not completed joining its cluster",
          std::nullopt};
}

/// The databases that are served, by name, "_Server" included. Immutable; the writer publishes a
/// new one with each change.
using Directory = std::map<std::string, DatabaseInfoRef, std::less<>>;
using DirectoryRef = std::shared_ptr<const Directory>;

}  // namespace tandem
