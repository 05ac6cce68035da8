#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/storage/log_file.h"
#include "tests/support/fake_file_system.h"
#include "tests/unit/server/storage/log_text.h"

namespace tandem::test {

/// When logs are opened: 20231114T221320Z in the names of files that are set aside.
inline const std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'700'000'000)};

inline Result<std::unique_ptr<storage::LogFile>> open_log(
    FakeFileSystem& disk, Bodies& bodies,
    storage::LogFile::Access access = storage::LogFile::Access::kReadWrite) {
  return storage::LogFile::open(disk, "db", access, kNow, bodies.replay());
}

inline std::unique_ptr<storage::LogFile> opened(FakeFileSystem& disk) {
  Bodies bodies;
  return open_log(disk, bodies).value();
}

inline Result<void> append(storage::LogFile& log, const std::vector<std::string>& bodies) {
  std::vector<storage::PreparedRecord> batch;
  for (const std::string& body : bodies) batch.push_back(storage::prepare_record(body));
  return log.append(batch);
}

}  // namespace tandem::test
