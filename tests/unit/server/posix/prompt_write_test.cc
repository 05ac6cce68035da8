#include "server/posix/prompt_write.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <string>

#include "server/posix/unique_fd.h"

namespace tandem {
namespace {

struct Ends {
  UniqueFd reader;
  UniqueFd writer;
};

Ends make_pipe() {
  std::array<int, 2> fds{};
  REQUIRE(::pipe(fds.data()) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_stream() {
  std::array<int, 2> fds{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Ends make_terminal() {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY));
  REQUIRE(master);
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  UniqueFd slave(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY));
  REQUIRE(slave);
  return {std::move(master), std::move(slave)};
}

TEST_CASE("what nobody reads is written until it would have to wait") {
  for (const auto make : {make_pipe, make_stream, make_terminal}) {
    const Ends ends = make();
    const std::string text(100, 'x');
    std::size_t total = 0;
    std::size_t written = text.size();
    for (int i = 0; i < 1'000'000 && written == text.size(); ++i) {
      written = write_at_once(ends.writer.get(), text);
      total += written;
    }
    CHECK(written < text.size());
    CHECK(errno == EAGAIN);
    CHECK(total > 1000);
    CHECK((::fcntl(ends.writer.get(), F_GETFL) & O_NONBLOCK) == 0);
    // Once somebody reads it goes on.
    std::string taken(total, '\0');
    for (std::size_t at = 0; at < total / 2;)
      at += static_cast<std::size_t>(::read(ends.reader.get(), taken.data(), taken.size()));
    CHECK(write_at_once(ends.writer.get(), text) > 0);
  }
}

TEST_CASE("a text that is longer than the pipe goes in part") {
  const Ends ends = make_pipe();
  const std::string text(10'000'000, 'x');
  const std::size_t written = write_at_once(ends.writer.get(), text);
  CHECK(written > 0);
  CHECK(written < text.size());
}

TEST_CASE("a pipe that nobody will read is no reason to wait") {
  std::signal(SIGPIPE, SIG_IGN);
  Ends ends = make_pipe();
  ends.reader = {};
  CHECK(write_at_once(ends.writer.get(), "x") == 0);
  CHECK(errno == EPIPE);
}

TEST_CASE("a file takes all of a text") {
  std::string path = "/tmp/tandem-prompt-write.XXXXXX";
  const UniqueFd file(::mkstemp(path.data()));
  ::unlink(path.c_str());
  const std::string text(1'000'000, 'x');
  CHECK(write_at_once(file.get(), text) == text.size());
  CHECK(::lseek(file.get(), 0, SEEK_CUR) == 1'000'000);
}

}  // namespace
}  // namespace tandem
