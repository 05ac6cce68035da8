#include "server/net/listener.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <optional>
#include <utility>

#include "server/net/connector.h"
#include "tests/unit/server/net/net_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

namespace {

struct Fixture {
  explicit Fixture(const std::string& target) {
    listener.emplace(shard, Target::parse(target).value(), [this](UniqueFd fd, std::string name) {
      accepted.emplace_back(std::move(fd), std::move(name));
    });
    listener->open();
  }

  IoShard shard{0};
  std::vector<std::pair<UniqueFd, std::string>> accepted;
  std::optional<Listener> listener;
};

/// Connects to a unix socket's file as a client does.
UniqueFd connect_file(const std::string& path) {
  UniqueFd fd = make_socket(AF_UNIX);
  return connect_unix(fd.get(), path) == 0 ? std::move(fd) : UniqueFd();
}

}  // namespace

TEST_CASE("Port 0 is chosen by the kernel and logged as ovsdb-server does") {
  LogCapture log;
  Fixture f("ptcp:0:127.0.0.1");
  REQUIRE(f.listener->is_listening());
  const std::uint16_t port = f.listener->bound_port();
  CHECK(log.count(fmt::format("socket_util|INFO|0:127.0.0.1: listening on port {}\n", port)) == 1);
  const UniqueFd client = connect_tcp(port);
  REQUIRE(client);
  REQUIRE(serve_until(f.shard, [&] { return f.accepted.size() == 1; }));
  CHECK(f.accepted[0].second == fmt::format("tcp:127.0.0.1:{}", port_of(client)));
}

TEST_CASE("IPv6 addresses are bracketed, and the IPv6 wildcard takes IPv4, too") {
  LogCapture log;
  Fixture f("ptcp:0:[::]");
  if (!f.listener->is_listening()) return;  // a host without IPv6
  CHECK(log.count("socket_util|INFO|0:[::]: listening on port ") == 1);
  const UniqueFd six = connect_tcp(f.listener->bound_port(), "::1");
  const UniqueFd four = connect_tcp(f.listener->bound_port());
  REQUIRE(six);
  REQUIRE(four);
  REQUIRE(serve_until(f.shard, [&] { return f.accepted.size() == 2; }));
  CHECK(f.accepted[0].second == fmt::format("tcp:[::1]:{}", port_of(six)));
}

TEST_CASE("Many clients are accepted at one wake-up") {
  Fixture f("ptcp:0:127.0.0.1");
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(connect_tcp(f.listener->bound_port()));
  while (f.accepted.empty()) f.shard.run_once(10);
  CHECK(f.accepted.size() == 200);
}

TEST_CASE("A port in use is warned of once and taken when it is free") {
  LogCapture log;
  UniqueFd holder = listen_tcp();
  const std::uint16_t port = port_of(holder);
  const std::string target = fmt::format("ptcp:{}:127.0.0.1", port);
  Fixture f(target);
  CHECK_FALSE(f.listener->is_listening());
  serve_for(f.shard, 1300);
  CHECK(log.count("|WARN|" + target + ": listen failed: Address already in use") == 1);
  holder = UniqueFd();
  REQUIRE(serve_until(f.shard, [&] { return f.listener->is_listening(); }));
  CHECK(log.count("|WARN|") == 1);
  CHECK(connect_tcp(port));
}

TEST_CASE("An address that is not on this host yet is warned of once") {
  LogCapture log;
  Fixture f("ptcp:0:192.0.2.77");
  CHECK_FALSE(f.listener->is_listening());
  f.listener->open();
  CHECK(log.count("|WARN|ptcp:0:192.0.2.77: listen failed: Cannot assign requested address") == 1);
}

TEST_CASE("A host name that nobody knows does not stop the others") {
  Fixture f("ptcp:0:no.such.host.invalid");
  CHECK_FALSE(f.listener->is_listening());
  serve_for(f.shard, 50);
}

TEST_CASE("A unix socket's file comes with the listener and goes with it") {
  const TempFolder folder;
  const std::string path = folder / "sock";
  {
    Fixture f("punix:" + path);
    REQUIRE(f.listener->is_listening());
    struct stat status {};
    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0007) == 0);
    const UniqueFd client = connect_file(path);
    REQUIRE(client);
    REQUIRE(serve_until(f.shard, [&] { return f.accepted.size() == 1; }));
    CHECK(f.accepted[0].second.starts_with("unix#"));
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("A stale unix socket is replaced, another file is not") {
  const TempFolder folder;
  const UniqueFd stale = make_socket(AF_UNIX);
  REQUIRE(bind_unix(stale.get(), folder / "sock") == 0);
  Fixture f("punix:" + folder / "sock");
  CHECK(f.listener->is_listening());
  std::ofstream(folder / "file") << "precious";
  Fixture other("punix:" + folder / "file");
  CHECK_FALSE(other.listener->is_listening());
  CHECK(read_file(folder / "file") == "precious");
}

TEST_CASE("A socket file that another server has put in place of ours stays") {
  const TempFolder folder;
  auto first = std::make_unique<Fixture>("punix:" + folder / "sock");
  std::filesystem::remove(folder / "sock");
  Fixture second("punix:" + folder / "sock");
  first.reset();
  CHECK(connect_file(folder / "sock"));
}

TEST_CASE("Unix socket paths longer than sun_path work at both ends") {
  const TempFolder folder;
  const std::string deep = folder / std::string(120, 'd');
  std::filesystem::create_directory(deep);
  const std::string path = deep + "/sock";
  Fixture f("punix:" + path);
  REQUIRE(f.listener->is_listening());
  CHECK(connect_file(path));
  f.listener.reset();
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("An inherited listening socket serves") {
  UniqueFd inherited = listen_tcp();
  const std::uint16_t port = port_of(inherited);
  Fixture f(fmt::format("pfd:{}", inherited.release()));
  REQUIRE(f.listener->is_listening());
  const UniqueFd client = connect_tcp(port);
  REQUIRE(serve_until(f.shard, [&] { return f.accepted.size() == 1; }));
  CHECK(f.accepted[0].second == fmt::format("tcp:127.0.0.1:{}", port_of(client)));
}

TEST_CASE("What is inherited and cannot listen is said and left alone") {
  LogCapture log;
  const UniqueFd plain = make_socket(AF_INET);
  Fixture closed("pfd:977");
  Fixture not_listening(fmt::format("pfd:{}", plain.get()));
  CHECK_FALSE(closed.listener->is_listening());
  CHECK_FALSE(not_listening.listener->is_listening());
  CHECK(log.count("pfd:977: not a socket") == 1);
  CHECK(log.count(fmt::format("pfd:{}: not a listening socket", plain.get())) == 1);
}

TEST_CASE(
    "Out of descriptors, a listener warns once, does not spin, and goes on when there are some") {
  LogCapture log;
  const pid_t child = fork();
  if (child == 0) {
    Fixture f("ptcp:0:127.0.0.1");
    std::vector<UniqueFd> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(connect_tcp(f.listener->bound_port()));
    const int next = dup(0);
    close(next);
    const rlimit tight{static_cast<rlim_t>(next + 2), static_cast<rlim_t>(next + 100)};
    setrlimit(RLIMIT_NOFILE, &tight);
    int turns = 0;
    const std::int64_t end_ms = IoShard::now_ms() + 500;
    while (IoShard::now_ms() < end_ms) turns += f.shard.run_once(20) ? 1 : 0;
    if (f.accepted.size() != 2) _exit(1);
    if (turns > 20) _exit(2);
    const rlimit roomy{static_cast<rlim_t>(next + 50), static_cast<rlim_t>(next + 100)};
    setrlimit(RLIMIT_NOFILE, &roomy);
    _exit(serve_until(f.shard, [&] { return f.accepted.size() == 8; }) ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(log.count("accept failed: Too many open files") == 1);
}

TEST_CASE("The socket of a server that answers is left to it, until it has gone") {
  LogCapture log;
  const std::string path = "/tmp/tandem-listener-taken." + std::to_string(::getpid());
  std::optional<Fixture> first(std::in_place, "punix:" + path);
  REQUIRE(first->listener->is_listening());
  Fixture second("punix:" + path);
  CHECK(!second.listener->is_listening());
  CHECK(log.count("listen failed: Address already in use") == 1);
  CHECK(connect_file(path));
  REQUIRE(serve_until(first->shard, [&] { return !first->accepted.empty(); }));
  first.reset();
  second.listener->open();
  CHECK(second.listener->is_listening());
}
