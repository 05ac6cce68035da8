#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "protocol/error.h"
#include "server/posix/disk_patience.h"
#include "server/storage/damage.h"

namespace tandem::storage {

/// How a log is, and how writing to it goes. A value.
struct LogHealth {
  /// For how long a write or flush has been under way; zero if none is.
  std::chrono::milliseconds waiting{0};
  /// Why the last write failed, or the flush that ended all writing.
  std::optional<Error> failure;
  bool stopped = false;  ///< nothing is written any more, until the file is opened anew
  std::chrono::system_clock::time_point failing_since;  ///< if there is a failure

  /// Of the file, until its contents were taken from an active server, or were given up.
  std::optional<Damage> damage;

  bool hangs() const { return waiting >= kDiskPatience; }
  bool can_write() const { return !failure && !damage && !hangs(); }
  /// Why nothing can be written, for people. Empty if something can.
  std::string fault() const;
};

}  // namespace tandem::storage
