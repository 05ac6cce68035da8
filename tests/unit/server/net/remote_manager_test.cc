#include "server/net/remote_manager.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>

#include "tests/unit/server/net/net_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

namespace {

RemoteSpec spec(const std::string& target, RemoteOptions options = {}) {
  return {Target::parse(target).value(), std::move(options)};
}

/// Home is in the test's thread and is the only shard, too.
struct Fixture {
  Fixture() : manager(home, {&home}, tls, recorder(seen)) {}
  ~Fixture() {
    bool done = false;
    manager.shut_down("test over", [&done] { done = true; });
    serve_until(home, [&] { return done; });
  }
  RemoteStatus status(std::size_t which = 0) const { return manager.statuses().at(which); }
  std::uint16_t port(std::size_t which = 0) const {
    return static_cast<std::uint16_t>(std::stoi(status(which).values.at("bound_port")));
  }

  IoShard home{0};
  TlsContext tls;
  Seen seen;
  RemoteManager manager;
};

}  // namespace

TEST_CASE("Remotes listen when they have been configured, and say who is there") {
  Fixture f;
  f.manager.configure({spec("ptcp:0:127.0.0.1")});
  CHECK_FALSE(f.status().is_connected);
  const UniqueFd first = connect_tcp(f.port());
  REQUIRE(serve_until(f.home, [&] { return f.status().is_connected; }));
  CHECK_FALSE(f.status().values.contains("n_connections"));
  {
    const UniqueFd second = connect_tcp(f.port());
    REQUIRE(serve_until(f.home, [&] { return f.status().values.contains("n_connections"); }));
    CHECK(f.status().values.at("n_connections") == "2");
  }
  REQUIRE(serve_until(f.home, [&] { return !f.status().values.contains("n_connections"); }));
  CHECK(f.status().values.at("sec_since_connect") == "0");
}

TEST_CASE("Remotes say whether they listen, and why not") {
  Fixture f;
  UniqueFd taken = listen_tcp();
  f.manager.configure({spec(fmt::format("ptcp:{}:127.0.0.1", port_of(taken)))});
  CHECK(f.status().state == "not listening");
  CHECK(f.status().problem == "Address already in use");
  taken = UniqueFd();
  REQUIRE(serve_until(f.home, [&] { return f.status().state == "listening"; }));
  CHECK(f.status().problem.empty());
  CHECK(f.status().connections == 0);
  const UniqueFd client = connect_tcp(f.port());
  REQUIRE(serve_until(f.home, [&] { return f.status().connections == 1; }));
}

TEST_CASE("A remote that stays keeps its connections, one that goes closes them") {
  Fixture f;
  const TempFolder folder;
  f.manager.configure({spec("ptcp:0:127.0.0.1"), spec("punix:" + folder / "sock")});
  Peer client(connect_tcp(f.port()));
  REQUIRE(serve_until(f.home, [&] { return f.seen.made == 1; }));

  RemoteOptions options;
  options.read_only = true;
  options.role = "ovn-controller";
  f.manager.configure({spec("ptcp:0:127.0.0.1", options)});
  REQUIRE(serve_until(f.home, [&] { return f.seen.port->info().read_only; }));
  CHECK(f.seen.port->info().role == "ovn-controller");
  CHECK_FALSE(std::filesystem::exists(folder / "sock"));
  CHECK(f.seen.closed.empty());

  f.manager.configure({});
  REQUIRE(serve_until(f.home, [&] { return f.seen.closed.size() == 1; }));
  CHECK(f.manager.statuses().empty());
}

TEST_CASE(
    "A removed remote can be added again at the same port while its clients are still closing") {
  Fixture f;
  UniqueFd probe = listen_tcp();
  const std::string target = fmt::format("ptcp:{}:127.0.0.1", port_of(probe));
  const std::uint16_t port = port_of(probe);
  probe = UniqueFd();
  f.manager.configure({spec(target)});
  const UniqueFd client = connect_tcp(port);
  REQUIRE(serve_until(f.home, [&] { return f.seen.made == 1; }));
  f.manager.configure({});
  f.manager.configure({spec(target)});
  CHECK(connect_tcp(port));
}

TEST_CASE("An active remote shows its state as the Connection table does") {
  Fixture f;
  const UniqueFd server = listen_tcp();
  f.manager.configure({spec(fmt::format("tcp:127.0.0.1:{}", port_of(server)))});
  REQUIRE(serve_until(f.home, [&] { return f.status().is_connected; }));
  CHECK(f.status().values.at("state") == "ACTIVE");
  CHECK(f.status().values.at("sec_since_connect") == "0");
  f.manager.disconnect_all("asked to");
  REQUIRE(serve_until(f.home, [&] { return f.seen.closed.size() == 1; }));
  REQUIRE(serve_until(f.home, [&] { return f.status().values.contains("sec_since_disconnect"); }));
  CHECK(f.status().values.at("last_error") == "asked to");
  REQUIRE(serve_until(f.home, [&] { return f.seen.made == 2; }));
}

TEST_CASE("A listener whose address comes to this host later opens as soon as it is there") {
  constexpr int kSkip = 77;
  const pid_t child = fork();
  if (child == 0) {
    // Needs a network of its own.
    if (unshare(CLONE_NEWNET) != 0 || std::system("ip link set lo up") != 0) _exit(kSkip);
    Fixture f;
    f.manager.configure({spec("ptcp:6641:192.0.2.77")});
    serve_for(f.home, 50);
    if (f.status().values.contains("bound_port")) _exit(1);
    if (std::system("ip address add 192.0.2.77/32 dev lo") != 0) _exit(kSkip);
    const std::int64_t begin_ms = IoShard::now_ms();
    if (!serve_until(f.home, [&] { return f.status().values.contains("bound_port"); })) _exit(2);
    // Sooner than by trying again every second.
    if (IoShard::now_ms() - begin_ms > 500) _exit(3);
    _exit(connect_tcp(6641, "192.0.2.77") ? 0 : 4);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WEXITSTATUS(status) == kSkip) {
    WARN("not allowed to make a network namespace: skipped");
  } else {
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("Connections are spread over the shards and end in order when all is shut down") {
  IoShard home(0);
  IoShard one(1);
  IoShard two(2);
  TlsContext tls;
  std::atomic<int> open = 0;
  std::array<std::atomic<int>, 3> made{};
  struct Counted final : ConnectionHandler {
    explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
    void on_message(JsonRpcMessage) override {}
    void on_writable() override {}
    void on_closed(const std::string&) override { --count_; }
    std::atomic<int>& count_;
  };
  RemoteManager manager(home, {&one, &two}, tls, [&](ConnectionPort& port) {
    ++made[port.shard().index()];
    return std::make_unique<Counted>(open);
  });
  manager.configure({spec("ptcp:0:127.0.0.1")});
  const auto port =
      static_cast<std::uint16_t>(std::stoi(manager.statuses()[0].values.at("bound_port")));
  one.start();
  two.start();
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(connect_tcp(port));
  REQUIRE(serve_until(home, [&] { return open == 100; }));
  CHECK(made[1] == 50);
  CHECK(made[2] == 50);
  clients.resize(50);
  REQUIRE(
      serve_until(home, [&] { return manager.statuses()[0].values.at("n_connections") == "50"; }));
  bool done = false;
  manager.shut_down("exit", [&done] { done = true; });
  REQUIRE(serve_until(home, [&] { return done; }));
  CHECK(open == 0);
  one.stop();
  two.stop();
}
