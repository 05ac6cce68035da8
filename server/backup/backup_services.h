#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/backup/backup_service.h"

namespace tandem {

/// The backup role towards several sources: a BackupService for each. Lives on home's thread.
class BackupServices {
 public:
  /// `to_writer` hands a job to the writer.
  BackupServices(DatabaseServer& server, net::IoShard& shard, net::TlsContext& tls,
                 TaskRunner& home, std::function<void(Task)> to_writer)
      : server_(server), shard_(shard), tls_(tls), home_(home), to_writer_(std::move(to_writer)) {}

  /// Follows these, and nobody else, each anew unless keep() has just kept it. `settled` runs on
  /// home, when all have shown something.
  void follow(std::vector<BackupSource> sources, Task settled);
  /// Follows nobody, for that reason. `done` runs on the writer, behind all that had arrived.
  void stop(const std::string& reason, Task done);
  /// The same, but those of these that are followed as they are go on.
  void keep(const std::vector<BackupSource>& sources, const std::string& reason, Task done);
  /// Tells those that are followed that another server is being made active.
  void depose_active();

  /// By database.
  std::map<std::string, FollowerStatus> status() const;
  /// The last failure of the connection by which a database follows.
  std::string connection_error(const std::string& database) const;

 private:
  struct Entry {
    std::unique_ptr<BackupService> service;
    std::optional<BackupSource> followed;
    bool kept = false;
  };
  /// One that follows nobody.
  Entry& free_entry();

  DatabaseServer& server_;
  net::IoShard& shard_;
  net::TlsContext& tls_;
  TaskRunner& home_;
  const std::function<void(Task)> to_writer_;
  std::vector<Entry> entries_;
};

}  // namespace tandem
