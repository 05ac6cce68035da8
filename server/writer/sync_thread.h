#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "protocol/error.h"
#include "server/posix/mutex.h"
#include "server/storage/log_file.h"

namespace tandem {

/// Makes logs durable away from the writer. One fdatasync serves all who asked before it began.
class Syncer {
 public:
  virtual ~Syncer() = default;
  using Done = std::function<void(Result<void>)>;
  /// `done` runs on any thread once everything that was written to the log before this call is on
  /// the disk, or cannot be.
  virtual void sync(std::shared_ptr<storage::LogFile> log, Done done) = 0;
};

/// A Syncer on a thread of its own.
class SyncThread final : public Syncer {
 public:
  SyncThread();
  ~SyncThread() override;
  void sync(std::shared_ptr<storage::LogFile> log, Done done) override;

 private:
  struct Request {
    std::shared_ptr<storage::LogFile> log;
    Done done;
  };
  void run();
  void gather(std::size_t served) const;
  /// How many requests wait for a flush.
  std::size_t waiting() const;

  mutable Mutex mutex_;
  ConditionVariable wake_;
  std::vector<Request> requests_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tandem
