#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "server/writer/directory.h"
#include "server/writer/served_database.h"

namespace tandem {

/// The databases that are served, by name, "_Server" included. The writer's.
class Catalogue {
 public:
  using Databases = std::map<std::string, std::unique_ptr<ServedDatabase>, std::less<>>;

  const Databases& databases() const { return databases_; }
  /// Null when there is none of that name.
  ServedDatabase* find(std::string_view name) const {
    const auto found = databases_.find(name);
    return found == databases_.end() ? nullptr : found->second.get();
  }
  /// Serves a database, which clients will know by `info`. Error "duplicate database name" when one
  /// of that name is served.
  Result<ServedDatabase*> add(std::unique_ptr<ServedDatabase> database, DatabaseInfo info) {
    if (find(info.name) != nullptr)
      return Error{"ovsdb error", info.name + ": duplicate database name", std::nullopt};
    renew(*database, std::move(info));
    return databases_.emplace(database->info->name, std::move(database)).first->second.get();
  }
  void remove(const ServedDatabase& database) {
    databases_.erase(databases_.find(database.info->name));
    changed_ = true;
  }
  /// Makes a database known anew, as another generation.
  void renew(ServedDatabase& database, DatabaseInfo info) {
    info.generation = next_generation_++;
    database.info = std::make_shared<const DatabaseInfo>(std::move(info));
    changed_ = true;
  }

  /// The databases as clients' threads know them.
  const DirectoryRef& directory() const { return directory_; }
  /// Is that out of date?
  bool has_changed() const { return changed_; }
  /// Brings it up to date.
  const DirectoryRef& renew_directory() {
    changed_ = false;
    auto directory = std::make_shared<Directory>();
    for (const auto& [name, database] : databases_) directory->emplace(name, database->info);
    return directory_ = std::move(directory);
  }

 private:
  Databases databases_;
  DirectoryRef directory_ = std::make_shared<const Directory>();
  std::uint64_t next_generation_ = 1;
  bool changed_ = false;
};

}  // namespace tandem
