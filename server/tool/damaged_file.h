#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/storage/file_system.h"
#include "server/storage/record.h"

namespace tandem::tool {

/// A stretch of a file without a whole record.
struct Gap {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t line = 0;    ///< of the file, where it begins; the first is 1
  std::uint64_t record = 0;  ///< whole records before it
  bool is_tail = false;      ///< nothing whole comes after it
  Error error;

  /// "offset 100 to 200, line 7, record 3 (what is wrong there)".
  std::string to_string() const;
};

/// Visits the whole records of a file in order, and the gaps between and behind them. Fails if the
/// file cannot be read, is no standalone database, or if a visit of a record does.
Result<void> for_each_piece(storage::FileSystem& files, const std::string& path,
                            const std::function<Result<void>(const storage::Record&)>& whole,
                            const std::function<void(const Gap&)>& gap);

}  // namespace tandem::tool
