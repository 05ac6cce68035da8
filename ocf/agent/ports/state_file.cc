#include "ocf/agent/ports/state_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include "ocf/agent/ports/operation.h"

namespace tandem::agent {

namespace {

constexpr int kPollMs = 2;
constexpr std::int64_t kMostPatienceMs = 5'000;  ///< with one that was told to end

}  // namespace

std::string StateFile::text() const {
  std::ostringstream text;
  text << std::ifstream(path_, std::ios::binary).rdbuf();
  return text.str();
}

Memory StateFile::read() const {
  last_ = text();
  return Memory::from_text(last_);
}

void StateFile::write(const Memory& memory) {
  std::string text = memory.to_text();
  if (text == last_) return;
  const std::string next = path_ + ".new";
  std::ofstream file(next, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(next.c_str(), path_.c_str()) != 0) return;
  last_ = std::move(text);
}

bool ProcessLock::try_lock() {
  UniqueFd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  problem_ = fd ? "" : fmt::format("{}: {}", path_, std::strerror(errno));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return false;
  fd_ = std::move(fd);
  name_holder();
  return true;
}

void ProcessLock::name_holder() {
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd_.get(), 0) != 0) return;
  (void)!::pwrite(fd_.get(), pid.data(), pid.size(), 0);
}

/// The pid is believed only because somebody holds the lock: no pid of another program can stand
/// there then.
bool ProcessLock::lock(std::int64_t patience_ms, Holder holder) {
  const std::int64_t patience_end = since_boot_ms() + patience_ms;
  bool told = false;
  while (!try_lock()) {
    if (!problem_.empty()) return true;
    if (holder == Holder::kIsLeftAlone && since_boot_ms() >= patience_end) return false;
    if (!told && since_boot_ms() >= patience_end) {
      std::ifstream file(path_);
      pid_t pid = 0;
      if (file >> pid && pid > 1) ::kill(pid, SIGTERM);
      told = true;
    }
    if (since_boot_ms() >= patience_end + kMostPatienceMs) return true;
    ::poll(nullptr, 0, kPollMs);
  }
  return true;
}

}  // namespace tandem::agent
