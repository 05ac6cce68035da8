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
#include <optional>
#include <sstream>
#include <utility>

#include "ocf/agent/ports/operation.h"
#include "ocf/agent/ports/server_process.h"

namespace tandem::agent {

namespace {

constexpr int kPollMs = 2;
constexpr std::int64_t kEndMs = 500;  ///< for a process to end at SIGTERM, and then at SIGKILL
constexpr std::int64_t kMostPatienceMs = 5'000;  ///< with one that was told to end

/// Of the kernel, also in a container: random(4).
std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace

std::string StateFile::text() const {
  std::ostringstream text;
  text << std::ifstream(path_, std::ios::binary).rdbuf();
  return text.str();
}

StateFile::StateFile(std::string path) : path_(std::move(path)), boot_(boot_id()) {}

Memory StateFile::read() const {
  last_ = text();
  Memory memory = Memory::from_text(last_);
  return memory.boot.empty() || memory.boot == boot_ ? memory : Memory();
}

bool StateFile::write(const Memory& memory) {
  Memory kept = memory;
  kept.boot = boot_;
  std::string text = kept.to_text();
  if (text == last_) return true;
  const std::string next = path_ + ".new";
  std::ofstream file(next, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  const bool written = file && std::rename(next.c_str(), path_.c_str()) == 0;
  if (!written) {
    std::remove(next.c_str());
    std::remove(path_.c_str());
  }
  last_ = written ? std::move(text) : "";
  return written;
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

/// The pid is believed because somebody holds the lock, and if it is one of this program: whoever
/// has just taken it has not named itself yet.
void ProcessLock::signal_holder(int signal) const {
  std::ifstream file(path_);
  pid_t pid = 0;
  if (!(file >> pid) || pid == ::getpid()) return;
  const std::optional<ProcessInfo> process = process_info(pid);
  const std::optional<ProcessInfo> own = process_info(::getpid());
  if (process && own && process->name == own->name) ::kill(pid, signal);
}

void ProcessLock::end_holder() {
  if (::access(path_.c_str(), F_OK) != 0) return;  // nobody has ever held it
  const std::int64_t begin = since_boot_ms();
  for (int next = SIGTERM; !try_lock() && problem_.empty();) {
    const std::int64_t waited = since_boot_ms() - begin;
    if (waited >= 2 * kEndMs) return;
    if (next == SIGTERM || (next == SIGKILL && waited >= kEndMs)) {
      signal_holder(next);
      next = next == SIGTERM ? SIGKILL : 0;
    }
    ::poll(nullptr, 0, kPollMs);
  }
  unlock();
}

bool ProcessLock::lock(std::int64_t patience_ms, Holder holder) {
  const std::int64_t patience_end = since_boot_ms() + patience_ms;
  bool told = false;
  while (!try_lock()) {
    if (!problem_.empty()) return true;
    if (holder == Holder::kIsLeftAlone && since_boot_ms() >= patience_end) return false;
    if (!told && since_boot_ms() >= patience_end) {
      signal_holder(SIGTERM);
      told = true;
    }
    if (since_boot_ms() >= patience_end + kMostPatienceMs) return true;
    ::poll(nullptr, 0, kPollMs);
  }
  return true;
}

}  // namespace tandem::agent
