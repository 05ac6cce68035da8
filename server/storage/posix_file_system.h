#pragma once

#include "server/storage/file_system.h"

namespace tandem::storage {

/// The operating system's files. Relative names are relative to the folder that was current when
/// this was made: a daemon leaves it. Locks are known to the whole process. Any thread.
class PosixFileSystem : public FileSystem {
 public:
  PosixFileSystem();
  ~PosixFileSystem() override;
  PosixFileSystem(const PosixFileSystem&) = delete;
  PosixFileSystem& operator=(const PosixFileSystem&) = delete;

  IoResult<std::unique_ptr<File>> open(const std::string& path, Access access) override;
  IoResult<std::unique_ptr<File>> open_again(const std::string& path, const File& file) override;
  IoResult<std::unique_ptr<File>> create(const std::string& path, const File* like) override;
  IoResult<void> rename(const std::string& from, const std::string& to) override;
  IoResult<void> unlink(const std::string& path) override;
  IoResult<void> sync_folder(const std::string& path) override;
  IoResult<std::string> resolve(const std::string& path) override;
  IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) override;

 private:
  int folder() const;

  const int folder_;
};

}  // namespace tandem::storage
