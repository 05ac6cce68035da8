#include "server/daemon/pidfile.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "server/daemon/fatal.h"

namespace tandem {

namespace {

struct flock whole_file_lock() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::optional<int> Pidfile::holder(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return std::nullopt;
  struct flock lock = whole_file_lock();
  if (::fcntl(fd.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  return lock.l_pid;
}

Result<Pidfile> Pidfile::create(const std::string& path, bool overwrite) {
  if (const auto pid = holder(path); pid && !overwrite) {
    return fatal_error(fmt::format("{}: already running as pid {}, aborting", path, *pid));
  }
  // The file appears under its name complete and locked: nobody ever reads an empty one.
  const std::string temporary = path + ".tmp";
  const auto failed = [&](const char* what) {
    return fatal_error(fmt::format("{}: {} failed ({})", temporary, what, std::strerror(errno)));
  };
  UniqueFd fd(
      ::open(temporary.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return failed("create");
  struct flock lock = whole_file_lock();
  if (::fcntl(fd.get(), F_SETLK, &lock) != 0) return failed("fcntl(F_SETLK)");
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return failed("write");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename");
  return Pidfile(path, std::move(fd));
}

Pidfile::~Pidfile() {
  if (!fd_) return;
  struct stat mine {};
  struct stat there {};
  const bool same = ::fstat(fd_.get(), &mine) == 0 && ::stat(path_.c_str(), &there) == 0 &&
                    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
  if (same) ::unlink(path_.c_str());
}

}  // namespace tandem
