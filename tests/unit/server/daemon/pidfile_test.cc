#include "server/daemon/pidfile.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "server/daemon/pipe.h"

namespace tandem {
namespace {

std::string path() { return "/tmp/tandem-pidfile-test." + std::to_string(::getpid()); }

/// Another process that holds the pidfile at `where` for as long as this lives.
class Holder {
 public:
  explicit Holder(const std::string& where) {
    Pipe ready;
    pid_ = ::fork();
    if (pid_ == 0) {
      const auto file = Pidfile::create(where, false);
      if (file.has_value() && ::write(ready.write_end.get(), "", 1) == 1) ::pause();
      ::_exit(1);
    }
    ready.write_end = {};
    REQUIRE(ready.wait_for_byte());
  }
  ~Holder() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

TEST_CASE("a pidfile holds the id of its process and goes with it") {
  {
    const auto file = Pidfile::create(path(), false);
    REQUIRE(file.has_value());
    int pid = 0;
    std::ifstream(path()) >> pid;
    CHECK(pid == ::getpid());
  }
  CHECK(!std::filesystem::exists(path()));
}

TEST_CASE("a pidfile whose process lives is respected unless told otherwise") {
  const Holder holder(path());
  CHECK(Pidfile::holder(path()) == holder.pid());
  const auto refused = Pidfile::create(path(), false);
  REQUIRE(refused.has_error());
  CHECK(refused.error().to_string() ==
        path() + ": already running as pid " + std::to_string(holder.pid()) + ", aborting");
  CHECK(Pidfile::create(path(), true).has_value());
}

TEST_CASE("a pidfile that was left behind is replaced") {
  std::ofstream(path()) << "1\n";
  CHECK(!Pidfile::holder(path()));
  CHECK(Pidfile::create(path(), false).has_value());
}

TEST_CASE("a pidfile in a folder that is not there is an error") {
  const auto file = Pidfile::create("/nonexistent/x", false);
  REQUIRE(file.has_error());
  CHECK(file.error().to_string() ==
        "/nonexistent/x.tmp: create failed (No such file or directory)");
}

}  // namespace
}  // namespace tandem
