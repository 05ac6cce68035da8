#pragma once

#include <memory>

#include "server/posix/unique_fd.h"

namespace tandem::net {

class IoShard;

/// Told when a descriptor is ready.
class FdListener {
 public:
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;

 protected:
  ~FdListener() = default;
};

/// Owns a non-blocking descriptor and says when it can be read or written. One wait, one answer: no
/// wait, no wake-up. Belongs to the shard's thread. The listener is never called after the watcher
/// was destroyed, which may be done inside its own callback, and never inside wait_*().
///
/// Waiting costs one epoll_ctl and the reading itself one recv. Asio's own async_read_some would
/// always try to read first (one recv that says EAGAIN) and need a buffer for each idle connection.
class FdWatcher {
 public:
  FdWatcher(IoShard& shard, UniqueFd fd, FdListener& listener);
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  int fd() const { return fd_; }
  void wait_readable();
  void wait_writable();
  /// Takes the descriptor out; nothing may be called after.
  UniqueFd release();

 private:
  struct State;
  int fd_;
  std::shared_ptr<State> state_;
};

}  // namespace tandem::net
