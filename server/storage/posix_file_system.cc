#include "server/storage/posix_file_system.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>
#include <utility>
#include <vector>

#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/posix/mutex.h"

namespace tandem::storage {
namespace {

log::Module lockfile_log("lockfile");
EventCount locks("lockfile_lock");
EventCount locks_refused("lockfile_error");

boost::system::error_code code(int error) { return {error, boost::system::generic_category()}; }
boost::system::error_code last_error() { return code(errno); }

IoResult<void> outcome(int status) {
  if (status != 0) return last_error();
  return {};
}

/// An open file descriptor; owns it.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_;
};

class PosixFile : public File {
 public:
  explicit PosixFile(Descriptor fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                static_cast<off_t>(offset + done));
      if (n == 0) break;
      if (n > 0)
        done += static_cast<std::size_t>(n);
      else if (errno != EINTR)
        return last_error();
    }
    return done;
  }

  IoResult<void> write_at(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    std::vector<iovec> left;
    left.reserve(pieces.size());
    for (const std::string_view piece : pieces)
      if (!piece.empty()) left.push_back({const_cast<char*>(piece.data()), piece.size()});

    for (std::size_t first = 0; first < left.size();) {
      const auto count = static_cast<int>(std::min<std::size_t>(left.size() - first, IOV_MAX));
      const ssize_t n = ::pwritev(fd_.get(), &left[first], count, static_cast<off_t>(offset));
      if (n < 0) {
        if (errno == EINTR) continue;
        return last_error();
      }
      offset += static_cast<std::uint64_t>(n);
      for (auto written = static_cast<std::size_t>(n); written > 0;) {
        iovec& piece = left[first];
        const std::size_t part = std::min(written, piece.iov_len);
        piece.iov_base = static_cast<char*>(piece.iov_base) + part;
        piece.iov_len -= part;
        written -= part;
        if (piece.iov_len == 0) first++;
      }
    }
    return {};
  }

  IoResult<std::uint64_t> size() const override {
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) return last_error();
    return static_cast<std::uint64_t>(status.st_size);
  }

  IoResult<void> truncate(std::uint64_t size) override {
    return outcome(::ftruncate(fd_.get(), static_cast<off_t>(size)));
  }

  /// To take room and give it back would tell more, but what ext4 got before it found too little
  /// it keeps, and others miss it.
  IoResult<std::uint64_t> room(std::uint64_t offset) const override {
    struct statvfs disk {};
    struct rlimit limit {};
    if (::fstatvfs(fd_.get(), &disk) != 0 || ::getrlimit(RLIMIT_FSIZE, &limit) != 0)
      return last_error();
    if (disk.f_blocks == 0) return code(ENOTSUP);  // a tmpfs without a size
    const std::uint64_t blocks = ::geteuid() == 0 ? disk.f_bfree : disk.f_bavail;
    if (limit.rlim_cur == RLIM_INFINITY) return blocks * disk.f_frsize;
    return std::min<std::uint64_t>(
        blocks * disk.f_frsize, limit.rlim_cur - std::min<std::uint64_t>(limit.rlim_cur, offset));
  }

  IoResult<void> sync() override { return outcome(::fdatasync(fd_.get())); }

 private:
  Descriptor fd_;
};

// fcntl locks belong to the process: a second one on the same file succeeds, and closing any
// descriptor of the file drops them all. So the process keeps a list of the lock files that it
// holds, and never opens one of them again.

using FileId = std::pair<dev_t, ino_t>;

struct HeldLocks {
  Mutex mutex;
  std::set<FileId> files GUARDED_BY(mutex);
};

HeldLocks& held_locks() {
  static HeldLocks held;
  return held;
}

class PosixLock : public FileLock {
 public:
  PosixLock(Descriptor fd, FileId file) : fd_(std::move(fd)), file_(file) {}
  PosixLock(const PosixLock&) = delete;
  PosixLock& operator=(const PosixLock&) = delete;
  ~PosixLock() override {
    HeldLocks& held = held_locks();
    const MutexLock guard(held.mutex);
    held.files.erase(file_);
    Descriptor closed_under_the_mutex = std::move(fd_);
  }

 private:
  Descriptor fd_;
  FileId file_;
};

IoResult<std::unique_ptr<FileLock>> lock_failed(const std::string& path, int error) {
  lockfile_log.warn("{}: failed to lock file: {}", path, code(error).message());
  return code(error);
}

}  // namespace

PosixFileSystem::PosixFileSystem() : folder_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

PosixFileSystem::~PosixFileSystem() {
  if (folder_ >= 0) ::close(folder_);
}

/// Without one (the folder may not be opened) the present folder has to do.
int PosixFileSystem::folder() const { return folder_ >= 0 ? folder_ : AT_FDCWD; }

IoResult<std::unique_ptr<File>> PosixFileSystem::open(const std::string& path, Access access) {
  const int flags = access == Access::kReadOnly ? O_RDONLY : O_RDWR;
  Descriptor fd(::openat(folder(), path.c_str(), flags | O_CLOEXEC));
  if (!fd.valid()) return last_error();
  return std::make_unique<PosixFile>(std::move(fd));
}

IoResult<std::unique_ptr<File>> PosixFileSystem::open_again(const std::string& path,
                                                            const File& file) {
  Descriptor fd(::openat(folder(), path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat found;
  struct stat wanted;
  if (!fd.valid() || ::fstat(fd.get(), &found) != 0 ||
      ::fstat(static_cast<const PosixFile&>(file).fd(), &wanted) != 0)
    return last_error();
  if (found.st_dev != wanted.st_dev || found.st_ino != wanted.st_ino) return code(ESTALE);
  return std::make_unique<PosixFile>(std::move(fd));
}

IoResult<std::unique_ptr<File>> PosixFileSystem::create(const std::string& path, const File* like) {
  Descriptor fd(::openat(folder(), path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660));
  if (!fd.valid()) return last_error();
  struct stat model;
  if (like && ::fstat(static_cast<const PosixFile*>(like)->fd(), &model) == 0) {
    // Only root can give files away; for others the file is as good with their own user.
    [[maybe_unused]] const int owner = ::fchown(fd.get(), model.st_uid, model.st_gid);
    [[maybe_unused]] const int mode = ::fchmod(fd.get(), model.st_mode & 07777);
  }
  return std::make_unique<PosixFile>(std::move(fd));
}

IoResult<void> PosixFileSystem::rename(const std::string& from, const std::string& to) {
  return outcome(::renameat(folder(), from.c_str(), folder(), to.c_str()));
}

IoResult<void> PosixFileSystem::unlink(const std::string& path) {
  return outcome(::unlinkat(folder(), path.c_str(), 0));
}

IoResult<void> PosixFileSystem::sync_folder(const std::string& path) {
  const Descriptor fd(::openat(folder(), path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return last_error();
  // EINVAL: a file system that has nothing to sync there.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) return last_error();
  return {};
}

IoResult<std::string> PosixFileSystem::resolve(const std::string& path) {
  constexpr int kMaxLinks = 40;  // as Linux
  std::string target = path;
  char link[PATH_MAX];
  for (int links = 0; links <= kMaxLinks; links++) {
    const ssize_t n = ::readlinkat(folder(), target.c_str(), link, sizeof link);
    if (n < 0) {
      if (errno == EINVAL || errno == ENOENT) return target;  // no link, or nothing there
      return last_error();
    }
    const std::string_view next(link, static_cast<std::size_t>(n));
    target = next.starts_with('/') ? std::string(next) : folder_of(target).append("/").append(next);
  }
  return code(ELOOP);
}

IoResult<std::unique_ptr<FileLock>> PosixFileSystem::lock(const std::string& path) {
  HeldLocks& held = held_locks();
  const MutexLock guard(held.mutex);
  struct stat status;
  if (::fstatat(folder(), path.c_str(), &status, 0) == 0 &&
      held.files.contains({status.st_dev, status.st_ino}))
    return code(EDEADLK);

  Descriptor fd(::openat(folder(), path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return lock_failed(path, errno);
  struct flock request {};
  request.l_type = F_WRLCK;
  request.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_SETLK, &request) != 0) {
    if (errno != EAGAIN && errno != EACCES) return lock_failed(path, errno);
    if (::fcntl(fd.get(), F_GETLK, &request) == 0 && request.l_type != F_UNLCK)
      lockfile_log.warn("{}: cannot lock file because it is already locked by pid {}", path,
                        request.l_pid);
    locks_refused.add();
    return code(EAGAIN);
  }
  locks.add();
  const FileId file{status.st_dev, status.st_ino};
  held.files.insert(file);
  return std::make_unique<PosixLock>(std::move(fd), file);
}

}  // namespace tandem::storage
