#pragma once

#include <string>

#include "ocf/agent/decision/memory.h"
#include "server/posix/unique_fd.h"

namespace tandem::agent {

/// The memory as a file, replaced as a whole.
class StateFile {
 public:
  explicit StateFile(std::string path);

  /// Nothing is remembered from before the machine's last start, also where the file outlives that.
  Memory read() const;
  /// Writes only what has changed since the last read or write. What cannot be written is forgotten
  /// as a whole, since the role may have ended: an older memory would have the keeper take it up
  /// again. False then.
  bool write(const Memory& memory);
  std::string text() const;

 private:
  std::string path_;
  const std::string boot_;  ///< the machine's, since whose start times count
  mutable std::string last_;
};

/// A lock that dies with the processes that hold it (flock); its file names the last of them.
class ProcessLock {
 public:
  explicit ProcessLock(std::string path) : path_(std::move(path)) {}

  enum class Holder : std::uint8_t {
    kIsEnded,  ///< by SIGTERM, when the patience is over: it does what nobody waits for
    kIsLeftAlone,
  };

  bool try_lock();
  bool is_held() const { return static_cast<bool>(fd_); }
  /// Waits for so long. False: somebody holds it still.
  bool lock(std::int64_t patience_ms, Holder holder);
  /// Has the process end that holds it, and waits for that, a second at most.
  void end_holder();
  /// Why there can be no lock: its folder is not there, or read-only.
  const std::string& problem() const { return problem_; }
  void unlock() { fd_ = {}; }
  /// This process, a child of the one that took it, is the holder now.
  void name_holder();

 private:
  void signal_holder(int signal) const;

  std::string path_;
  std::string problem_;
  UniqueFd fd_;
};

}  // namespace tandem::agent
