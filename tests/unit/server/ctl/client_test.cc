#include "server/ctl/client.h"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "server/ctl/target.h"
#include "tests/unit/server/ctl/ctl_fixture.h"

namespace tandem::ctl {
namespace {

using test::Folder;

std::string error_of(const auto& result) {
  REQUIRE(result.has_error());
  return result.error().to_string();
}

TEST_CASE("an answer may come in pieces") {
  Folder folder;
  const std::string socket = folder.listen("s");
  std::string request(100, '\0');
  std::thread server([&] {
    const UniqueFd client(::accept(folder.listener.get(), nullptr, nullptr));
    request.resize(static_cast<std::size_t>(::read(client.get(), request.data(), request.size())));
    for (const std::string piece : {"{\"id\":0,\"resu", "lt\":\"a\\nb\\n\",\"error\":null}"}) {
      CHECK(::write(client.get(), piece.data(), piece.size()) ==
            static_cast<ssize_t>(piece.size()));
      ::usleep(10'000);
    }
  });
  const auto answer = run_command(socket, "x/y", {"1", "2"}, std::chrono::seconds(5));
  server.join();
  REQUIRE(answer.has_value());
  CHECK(answer->text == "a\nb\n");
  CHECK(!answer->is_error);
  CHECK(request.find("\"x/y\"") != std::string::npos);
  CHECK(request.find("[\"1\",\"2\"]") != std::string::npos);
}

TEST_CASE("a server that hangs is given up in time") {
  Folder folder;
  const std::string socket = folder.listen("s");
  const auto answer = run_command(socket, "x", {}, std::chrono::milliseconds(50));
  CHECK(error_of(answer) == socket + ": no answer in time");
}

TEST_CASE("a server that is not there is an error at once") {
  const auto answer = run_command("/nonexistent/s", "x", {}, std::chrono::seconds(5));
  CHECK(error_of(answer) == "cannot connect to \"/nonexistent/s\" (No such file or directory)");
}

TEST_CASE("a target with a slash is the socket itself") {
  CHECK(find_control_socket("/a/b.ctl", {}).value() == "/a/b.ctl");
  CHECK(find_control_socket("./b.ctl", {}).value() == "./b.ctl");
}

TEST_CASE("a name leads through its pidfile to the socket, in the first folder that has it") {
  Folder folder;
  const std::string socket = folder.listen("nb.42.ctl");
  folder.write("nb.pid", "42\n");
  CHECK(find_control_socket("nb", {"/nonexistent", folder.path}).value() == socket);
  CHECK(find_control_socket(folder.path + "/nb.pid", {}).value() == socket);
}

TEST_CASE("ovn-ctl's sockets have no process id in their name") {
  Folder folder;
  const std::string socket = folder.listen("ovnnb_db.ctl");
  folder.write("ovnnb_db.pid", "42\n");
  CHECK(find_control_socket("ovnnb_db", {folder.path}).value() == socket);
}

TEST_CASE("a missing pidfile is named") {
  CHECK(error_of(find_control_socket("x", {"/nonexistent"})) ==
        "cannot read pidfile \"/nonexistent/x.pid\"");
}

}  // namespace
}  // namespace tandem::ctl
