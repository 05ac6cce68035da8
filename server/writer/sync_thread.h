#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "protocol/error.h"
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
  void gather(std::unique_lock<std::mutex>& lock, std::size_t served);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Request> requests_;  // under mutex_
  bool stop_ = false;              // under mutex_
  std::thread thread_;
};

}  // namespace tandem
