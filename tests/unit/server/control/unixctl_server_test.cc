#include "server/control/unixctl_server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "server/control/standard_commands.h"

namespace tandem::control {
namespace {

using Socket = boost::asio::local::stream_protocol::socket;

std::string path() { return "/tmp/tandem-unixctl-test." + std::to_string(::getpid()); }

/// A server with a few commands, and a client of it, on one io_context.
struct Fixture {
  boost::asio::io_context io{1};
  CommandRegistry registry;
  std::optional<Reply> kept;
  std::unique_ptr<UnixctlServer> server;
  Socket client{io};

  Fixture() {
    registry.add("echo", "", 0, 9,
                 [](const Arguments& a, const Reply& reply) { reply.text(a.empty() ? "" : a[0]); });
    registry.add("later", "", 0, 0, [this](const Arguments&, const Reply& reply) { kept = reply; });
    auto listening = UnixctlServer::listen(io.get_executor(), path(), registry);
    REQUIRE(listening.has_value());
    server = std::move(*listening);
    client.connect(path());
    client.non_blocking(true);
  }

  /// Sends text and returns what has come back a moment later; "<EOF>" for the end.
  std::string talk(const std::string& text) {
    boost::asio::write(client, boost::asio::buffer(text));
    return receive();
  }
  std::string receive() {
    io.restart();
    io.run_for(std::chrono::milliseconds(30));
    std::string answer(10000, '\0');
    boost::system::error_code error;
    answer.resize(client.read_some(boost::asio::buffer(answer), error));
    return error == boost::asio::error::eof ? "<EOF>" : answer;
  }
};

TEST_CASE_METHOD(Fixture, "an answer ends with a newline unless it is empty") {
  CHECK(talk(R"({"method":"echo","params":["a"],"id":7})") ==
        R"({"error":null,"id":7,"result":"a\n"})");
  CHECK(talk(R"({"method":"echo","params":["a\n"],"id":7})") ==
        R"({"error":null,"id":7,"result":"a\n"})");
  CHECK(talk(R"({"method":"echo","params":[],"id":"x"})") ==
        R"({"error":null,"id":"x","result":""})");
}

TEST_CASE_METHOD(Fixture, "requests may come in pieces and in bulk, and are answered in order") {
  CHECK(talk(R"({"method":"ec)").empty());
  CHECK(talk(R"(ho","params":["1"],"id":1}{"method":"echo","params":["2"],"id":2})") ==
        R"({"error":null,"id":1,"result":"1\n"}{"error":null,"id":2,"result":"2\n"})");
}

TEST_CASE_METHOD(Fixture,
                 "a command may be answered later and from another thread; those behind it wait") {
  CHECK(talk(R"({"method":"later","params":[],"id":1}{"method":"echo","params":["2"],"id":2})")
            .empty());
  REQUIRE(kept);
  std::thread([this] { kept->text("1"); }).join();
  CHECK(receive() == R"({"error":null,"id":1,"result":"1\n"}{"error":null,"id":2,"result":"2\n"})");
}

TEST_CASE_METHOD(Fixture, "an answer to a client that has gone goes nowhere") {
  talk(R"({"method":"later","params":[],"id":1})");
  client.close();
  io.restart();
  io.run_for(std::chrono::milliseconds(30));
  kept->text("1");
  server.reset();
  kept->text("2");
  io.restart();
  io.run_for(std::chrono::milliseconds(30));
}

TEST_CASE_METHOD(Fixture, "an argument that is not a string is an error") {
  CHECK(talk(R"({"method":"echo","params":[1],"id":1})").find("command has non-string argument") !=
        std::string::npos);
}

TEST_CASE_METHOD(Fixture, "what is not a request closes the connection") {
  CHECK(talk(R"({"result":1,"error":null,"id":1})") == "<EOF>");
}

TEST_CASE_METHOD(Fixture, "the answer to exit is out when the server is told to end") {
  std::string seen;
  const EventRates events;
  add_standard_commands(registry, events, [&] {
    seen.resize(100);
    boost::system::error_code error;
    seen.resize(client.read_some(boost::asio::buffer(seen), error));
  });
  talk(R"({"method":"exit","params":[],"id":1})");
  CHECK(seen == R"({"error":null,"id":1,"result":""})");
}

TEST_CASE("the socket goes with its server, and one left behind is replaced") {
  const auto socket_exists = [] { return std::filesystem::exists(path()); };
  {
    const Fixture first;
    CHECK(socket_exists());
  }
  CHECK(!socket_exists());
  {
    boost::asio::io_context io;
    const boost::asio::local::stream_protocol::acceptor stale(io, path());
  }
  CHECK(socket_exists());
  { const Fixture second; }
  CHECK(!socket_exists());
}

TEST_CASE("a control socket that cannot be had is told as ovsdb-server tells it") {
  boost::asio::io_context io;
  const CommandRegistry registry;
  const auto server = UnixctlServer::listen(io.get_executor(), "/nonexistent/x", registry);
  REQUIRE(server.has_error());
  CHECK(server.error().to_string() ==
        "/nonexistent/x: could not initialize control socket (No such file or directory)");
}

/// Clients that each send something, and do nothing more.
std::vector<Socket> crowd(Fixture& f, std::size_t size, const std::string& text) {
  std::vector<Socket> clients;
  for (std::size_t i = 0; i < size; ++i) {
    clients.emplace_back(f.io);
    clients.back().connect(path());
    boost::asio::write(clients.back(), boost::asio::buffer(text));
    f.io.restart();
    f.io.poll();
  }
  return clients;
}

TEST_CASE_METHOD(Fixture, "clients that send nothing or half a request keep nobody out") {
  const auto silent = crowd(*this, 150, "");
  const auto unfinished = crowd(*this, 150, R"({"method":)");
  Socket late(io);
  late.connect(path());
  std::swap(client, late);
  client.non_blocking(true);
  CHECK(talk(R"({"method":"echo","params":["a"],"id":7})") ==
        R"({"error":null,"id":7,"result":"a\n"})");
  CHECK(std::filesystem::exists(path()));
}

TEST_CASE_METHOD(Fixture, "a client whose command is under way is not sent away for others") {
  CHECK(talk(R"({"method":"later","params":[],"id":1})").empty());
  REQUIRE(kept);
  const auto others = crowd(*this, 300, "");
  kept->text("1");
  CHECK(receive() == R"({"error":null,"id":1,"result":"1\n"})");
}

TEST_CASE_METHOD(Fixture, "no more is read from a client that does not take its answers") {
  const std::string big(100'000, 'x');
  const std::string request = R"({"method":"echo","params":[")" + big + R"("],"id":1})";
  std::size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    boost::system::error_code error;
    sent += client.write_some(boost::asio::buffer(request), error);
    if (error == boost::asio::error::would_block) break;
    io.restart();
    io.poll();
  }
  CHECK(sent < 10 * request.size());
}

TEST_CASE("the socket of a server that answers is not taken away") {
  Fixture first;
  const CommandRegistry registry;
  const auto second = UnixctlServer::listen(first.io.get_executor(), path(), registry);
  REQUIRE(second.has_error());
  CHECK(second.error().to_string() ==
        path() + ": could not initialize control socket (Address already in use)");
  CHECK(first.talk(R"({"method":"echo","params":["a"],"id":7})") ==
        R"({"error":null,"id":7,"result":"a\n"})");
}

TEST_CASE("the mode of the socket follows the umask") {
  const auto mode_under = [](mode_t mask) {
    const mode_t before = ::umask(mask);
    const Fixture server;
    ::umask(before);
    struct stat file {};
    ::stat(path().c_str(), &file);
    return file.st_mode & 0777U;
  };
  CHECK(mode_under(007) == 0770);
  CHECK(mode_under(022) == 0750);
}

TEST_CASE_METHOD(Fixture, "an error is one line of text") {
  registry.add("bad", "", 0, 0, [](const Arguments&, const Reply& reply) {
    reply.error("a\nstate: active\x1b[2J");
  });
  CHECK(talk(R"({"method":"bad","params":[],"id":1})") ==
        R"({"error":"a\\nstate: active\\x1b[2J\n","id":1,"result":null})");
}

}  // namespace
}  // namespace tandem::control
