#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>

#include "server/logging/file_health.h"
#include "server/logging/line_output.h"
#include "server/posix/mutex.h"
#include "server/posix/unique_fd.h"

namespace tandem::log {

using FileRef = std::shared_ptr<const UniqueFd>;

/// Writes lines to the log file, in order. Once it has a thread, nobody waits for a disk that
/// hangs: a line is awaited for a moment, so that it usually stands in the file when whoever logs
/// goes on, and follows later if that is too short. What is more than a bounded queue holds is
/// lost. Called under the logger's lock, one call at a time.
class FileWriter {
 public:
  explicit FileWriter(LineOutput::Write write) : output_(std::move(write)) {}
  /// Waits for the disk. The logger's own is never destroyed.
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Writes by a thread from now on. For the process that serves: a fork leaves threads behind.
  void start_thread();
  /// Writes a line, its newline included. Returns how many lines were lost since the last call.
  unsigned write(FileRef file, std::string line);
  /// How writing goes, of whichever file. Never waits for the disk.
  FileHealth health() const;

 private:
  struct Line {
    FileRef file;
    std::string text;
  };
  void run();
  /// 0 if all of it went, or an errno.
  int put(const Line& line);

  LineOutput output_;  ///< of the thread, once there is one

  mutable Mutex mutex_;
  ConditionVariable wake_;
  ConditionVariable written_;
  std::deque<Line> lines_ GUARDED_BY(mutex_);  ///< that wait, and the one that is being written
  std::size_t bytes_ GUARDED_BY(mutex_) = 0;   ///< of these
  bool hangs_ GUARDED_BY(mutex_) = false;      ///< lines are not awaited until all have gone
  unsigned lost_ GUARDED_BY(mutex_) = 0;
  int error_ GUARDED_BY(mutex_) = 0;  ///< of the last line
  /// Since when the first one is being written, if there is one.
  std::chrono::steady_clock::time_point writing_since_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tandem::log
