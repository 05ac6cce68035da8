#pragma once

#include <chrono>
#include <string>

#include "server/posix/disk_patience.h"

namespace tandem::log {

/// How writing to the log file goes. A value.
struct FileHealth {
  std::string path{};                    ///< empty: no log file is wanted
  int open_error = 0;                    ///< errno: why it is not open
  int write_error = 0;                   ///< errno: why the last line did not go, or not all of it
  std::chrono::milliseconds waiting{0};  ///< for how long a line has been under way

  bool is_open() const { return open_error == 0; }
  bool hangs() const { return waiting >= kDiskPatience; }
  bool can_write() const { return is_open() && write_error == 0 && !hangs(); }
  /// Why lines do not get there, for people. Empty if they do.
  std::string fault() const;
};

}  // namespace tandem::log
