#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "replication/feed_status.h"
#include "server/posix/mutex.h"
#include "server/writer/database_server.h"

namespace tandem::control {

/// Where each database stands, copied out as it changes, so that status commands answer at once
/// however busy the writer is. Written on the writer, read from any thread. Watches for as long as
/// it exists.
class StatusBoard final : private CommitObserver {
 public:
  struct Entry {
    Position position;
    std::uint64_t commits = 0;  ///< published since the server started
    // What history holds: whoever is behind by no more resumes instead of starting over.
    Position history_start;
    std::size_t history_commits = 0;
    std::size_t history_bytes = 0;
    std::size_t blocked = 0;            ///< transactions in a "wait"
    GateStatus gate;                    ///< of an active
    std::vector<FeedStatus> followers;  ///< backups that follow the database
    DatabaseInfoRef info;
    DatabaseFiguresRef figures;           ///< counted on while they are read
    std::weak_ptr<storage::LogFile> log;  ///< closed with the database
  };
  /// By name, without databases that are built in.
  using Entries = std::map<std::string, Entry>;

  explicit StatusBoard(DatabaseServer& server);
  ~StatusBoard() override;

  Entries entries() const;
  /// Copies what changes without a commit: acknowledgements. On the writer.
  void refresh();

 private:
  void on_logged(const ServedDatabase& database, const CommitRef& commit) override;
  void on_databases_changed() override;
  static void copy(const ServedDatabase& database, Entry& entry);

  DatabaseServer& server_;
  mutable Mutex mutex_;
  Entries entries_ GUARDED_BY(mutex_);
};

}  // namespace tandem::control
