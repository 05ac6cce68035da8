#pragma once

#include <string>

#include "ocf/agent/decision/memory.h"
#include "server/net/unique_fd.h"

namespace tandem::agent {

/// The memory as a file, replaced as a whole.
class StateFile {
 public:
  explicit StateFile(std::string path) : path_(std::move(path)) {}

  Memory read() const;
  /// Writes only what has changed since the last read or write. A failure is for the next one.
  void write(const Memory& memory);
  std::string text() const;

 private:
  std::string path_;
  mutable std::string last_;
};

/// A lock that dies with the processes that hold it (flock); its file names the last of them.
class ProcessLock {
 public:
  explicit ProcessLock(std::string path) : path_(std::move(path)) {}

  bool try_lock();
  /// Waits for so long; then ends the holder, which does what nobody waits for, and goes on.
  void lock(std::int64_t patience_ms);
  void unlock() { fd_ = {}; }
  /// This process, a child of the one that took it, is the holder now.
  void name_holder();

 private:
  std::string path_;
  net::UniqueFd fd_;
};

}  // namespace tandem::agent
