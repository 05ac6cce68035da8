#pragma once

#include <functional>
#include <map>
#include <memory>
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

  /// Follows these, and nobody else. `settled` runs on home, when all have shown something.
  void follow(std::vector<BackupSource> sources, Task settled);
  /// Follows nobody, for that reason. `done` runs on the writer, behind all that had arrived.
  void stop(const std::string& reason, Task done);
  /// Tells those that are followed that another server is being made active.
  void depose_active();

  /// By database.
  std::map<std::string, FollowerStatus> status() const;
  /// The last failure of the connection by which a database follows.
  std::string connection_error(const std::string& database) const;

 private:
  BackupService& service(std::size_t index);

  DatabaseServer& server_;
  net::IoShard& shard_;
  net::TlsContext& tls_;
  TaskRunner& home_;
  const std::function<void(Task)> to_writer_;
  std::vector<std::unique_ptr<BackupService>> services_;  // those of sources that are gone last
};

}  // namespace tandem
