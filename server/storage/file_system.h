#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "protocol/error.h"

/// The port through which storage meets the disk. posix_file_system.h is the real one,
/// tests/support/fake_file_system.h one that fails on command and loses power.
namespace tandem::storage {

/// A value, or the errno (in the generic category) that stands in its place.
template <class T>
using IoResult = boost::system::result<T>;

/// An open file, closed by its destructor. Any thread; calls on disjoint ranges do not disturb each
/// other.
class File {
 public:
  virtual ~File() = default;

  /// Fills `out` from `offset` and returns its size; less only at the end of the file.
  virtual IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const = 0;
  /// Writes the pieces one after the other from `offset`, in as few calls as the system allows. On
  /// failure any part of them may have been written.
  virtual IoResult<void> write_at(std::uint64_t offset,
                                  std::span<const std::string_view> pieces) = 0;
  virtual IoResult<std::uint64_t> size() const = 0;
  virtual IoResult<void> truncate(std::uint64_t size) = 0;
  /// How many bytes can be written from `offset` on before the disk is full, or the file as large
  /// as the process may make one. Quotas are not seen. An error if this cannot be told.
  virtual IoResult<std::uint64_t> room(std::uint64_t offset) const = 0;
  /// Makes contents and size durable (fdatasync). After a failure nobody knows what is.
  virtual IoResult<void> sync() = 0;
};

/// A lock on a lock file, released by its destructor. The file stays.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

/// Names and what hangs on them. Any thread. Outlives the files and locks that it gave.
class FileSystem {
 public:
  enum class Access { kReadOnly, kReadWrite };

  virtual ~FileSystem() = default;

  virtual IoResult<std::unique_ptr<File>> open(const std::string& path, Access access) = 0;
  /// Opens a file that is open already once more, to read and write it by its path. ESTALE: the
  /// path leads to another file by now.
  virtual IoResult<std::unique_ptr<File>> open_again(const std::string& path, const File& file) = 0;
  /// Makes a file that must not exist, for reading and writing. It gets owner and permissions of
  /// `like`, as far as the process may give them away, otherwise those of a database: 0660 less the
  /// umask.
  virtual IoResult<std::unique_ptr<File>> create(const std::string& path, const File* like) = 0;
  virtual IoResult<void> rename(const std::string& from, const std::string& to) = 0;
  virtual IoResult<void> unlink(const std::string& path) = 0;
  /// Makes what was created, renamed and unlinked in a folder durable.
  virtual IoResult<void> sync_folder(const std::string& folder) = 0;
  /// Follows symbolic links in the last part of the path to the end, which need not exist.
  virtual IoResult<std::string> resolve(const std::string& path) = 0;
  /// Makes the lock file if need be and locks it against other processes and against this one.
  /// Held: EAGAIN by another process, EDEADLK by this one.
  virtual IoResult<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

/// Of a file that has become shorter while it was read.
inline const boost::system::error_code kCutMeanwhile =
    boost::system::errc::make_error_code(boost::system::errc::resource_unavailable_try_again);

/// "I/O error": `what` failed on the file of that name.
Error io_error(std::string_view name, std::string_view what, boost::system::error_code error);

/// The folder part of a path: "." if it has none.
std::string folder_of(const std::string& path);
/// Where the lock of a database file is: `.NAME.~lock~` in its folder.
std::string lock_path_of(const std::string& path);

/// Copies bytes `begin` to `end` of a file to `offset` of another. EIO if the file is shorter than
/// `end`.
IoResult<void> copy_range(const File& from, std::uint64_t begin, std::uint64_t end, File& to,
                          std::uint64_t offset);

}  // namespace tandem::storage
