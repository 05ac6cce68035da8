#include "server/daemon/crash_handler.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <string>

#include "server/daemon/last_resort.h"
#include "server/daemon/pipe.h"
#include "server/net/io_shard.h"

namespace tandem {
namespace {

/// Takes all of the stack, 16 KiB a call.
// NOLINTNEXTLINE(misc-no-recursion)
int exhaust_stack(int depth) {
  std::array<volatile char, 16384> frame{};
  frame[static_cast<std::size_t>(depth) % frame.size()] = 1;
  return depth < 0 ? frame[0] : exhaust_stack(depth + 1) + frame[1];
}

/// What the crash handler says in a process that exhausts its stack where `run_on_thread` runs it.
std::string report_from(const std::function<void(const std::function<void()>&)>& run_on_thread) {
  Pipe pipe;
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr struct rlimit kNoCore { 0, 0 };
    ::setrlimit(RLIMIT_CORE, &kNoCore);
    install_crash_handler(pipe.write_end.get());
    run_on_thread([] { exhaust_stack(0); });
    for (;;) ::pause();
  }
  pipe.write_end = {};
  std::string text;
  std::array<char, 4096> bytes{};
  for (ssize_t size = 1; size > 0;) {
    size = ::read(pipe.read_end.get(), bytes.data(), bytes.size());
    if (size > 0) text.append(bytes.data(), static_cast<std::size_t>(size));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
  return text.substr(0, text.find('\n'));
}

constexpr const char* kReport = "SIGSEGV detected, backtrace:";

TEST_CASE("a crash is reported when the main thread's stack is exhausted") {
  CHECK(report_from([](const auto& task) { task(); }) == kReport);
}

TEST_CASE("a crash is reported when the stack of a thread that serves clients is exhausted") {
  CHECK(report_from([](const auto& task) {
          static net::IoShard shard(1);
          shard.start();
          shard.post(task);
        }) == kReport);
}

TEST_CASE("a crash is reported when the stack of the thread that ends the process is exhausted") {
  CHECK(report_from([](const auto& task) {
          static LastResort last_resort;
          last_resort.arm(std::chrono::milliseconds(0), task);
        }) == kReport);
}

}  // namespace
}  // namespace tandem
