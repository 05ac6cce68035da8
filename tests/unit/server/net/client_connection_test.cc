#include "server/net/client_connection.h"

#include <catch2/catch.hpp>
#include <optional>

#include "tests/unit/server/net/net_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

namespace {

struct Fixture {
  explicit Fixture(const std::vector<std::string>& targets, std::int64_t resend_ms = 0) {
    ClientOptions options;
    for (const std::string& target : targets)
      options.targets.push_back(Target::parse(target).value());
    options.name = targets.front();
    options.connect_timeout_ms = resend_ms == 0 ? 300 : 3000;
    options.resend_ms = resend_ms;
    options.make_handler = recorder(seen);
    client.emplace(shard, nullptr, std::move(options),
                   [this](const ClientStatus& s) { states.push_back(s.state); });
    client->start();
  }
  ~Fixture() {
    bool done = false;
    client->stop("test over", [&done] { done = true; });
    serve_until(shard, [&] { return done; });
  }
  bool wait_for(ClientStatus::State state) {
    return serve_until(shard, [&] { return client->status().state == state; });
  }

  IoShard shard{0};
  Seen seen;
  std::vector<ClientStatus::State> states;
  std::optional<ClientConnection> client;
};

std::string tcp(std::uint16_t port) { return fmt::format("tcp:127.0.0.1:{}", port); }

UniqueFd accept_one(const UniqueFd& listener, IoShard& shard) {
  UniqueFd fd;
  serve_until(shard, [&] {
    fd = UniqueFd(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK));
    return static_cast<bool>(fd);
  });
  return fd;
}

/// A listener that ignores connects until the one that fills its backlog is accepted.
struct FullListener {
  FullListener() {
    const auto address = SocketAddress::numeric("127.0.0.1", 0);
    REQUIRE(bind(server.get(), address->data(), address->size()) == 0);
    REQUIRE(listen(server.get(), 0) == 0);
    only = connect_tcp(port_of(server));
  }

  UniqueFd server = make_socket(AF_INET);
  UniqueFd only;
};

using State = ClientStatus::State;

}  // namespace

TEST_CASE("A client connects, talks, and is told of the end") {
  const UniqueFd server = listen_tcp();
  Fixture f({tcp(port_of(server))});
  Peer peer(accept_one(server, f.shard));
  REQUIRE(f.wait_for(State::kActive));
  CHECK(f.seen.port->info().name == tcp(port_of(server)));
  peer.write(R"({"id":1,"method":"m","params":[]})");
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 1; }));
  peer.close();
  REQUIRE(serve_until(f.shard, [&] { return f.seen.closed.size() == 1; }));
  CHECK(f.client->status().last_error == "connection closed by peer");
  CHECK(f.client->status().disconnected_ms >= f.client->status().connected_ms);
}

TEST_CASE("Of several targets the next is tried at once when one refuses") {
  const UniqueFd server = listen_tcp();
  std::uint16_t refused = 0;
  {
    const UniqueFd gone = listen_tcp();
    refused = port_of(gone);
  }
  Fixture f({tcp(refused), tcp(port_of(server))});
  const std::int64_t begin_ms = IoShard::now_ms();
  REQUIRE(f.wait_for(State::kActive));
  CHECK(IoShard::now_ms() - begin_ms < 500);
  CHECK(f.client->status().target == tcp(port_of(server)));
}

TEST_CASE(
    "A server that is not there is tried again after a second, and logged as ovsdb-server does") {
  LogCapture log;
  std::uint16_t port = 0;
  {
    const UniqueFd gone = listen_tcp();
    port = port_of(gone);
  }
  Fixture f({tcp(port)});
  REQUIRE(serve_until(
      f.shard, [&] { return log.count("connection attempt failed (Connection refused)") == 1; }));
  CHECK(f.client->status().state == State::kBackoff);
  const UniqueFd server = listen_tcp(port);
  REQUIRE(server);
  REQUIRE(f.wait_for(State::kActive));
  CHECK(log.count(fmt::format("reconnect|INFO|{}: connecting...", tcp(port))) == 2);
  CHECK(log.count(fmt::format("reconnect|INFO|{}: connected", tcp(port))) == 1);
  CHECK(log.count("|WARN|") == 0);
}

TEST_CASE("A connect that nobody answers times out") {
  const FullListener full;
  Fixture f({tcp(port_of(full.server))});
  REQUIRE(serve_until(f.shard, [&] { return !f.client->status().last_error.empty(); }));
  CHECK(f.client->status().last_error == "connection attempt timed out");
}

TEST_CASE("Who asks for it tries again long before the kernel does") {
  const FullListener full;
  Fixture f({tcp(port_of(full.server))}, 20);
  serve_for(f.shard, 150);
  CHECK(f.client->status().state == State::kConnecting);
  const std::int64_t begin_ms = IoShard::now_ms();
  const UniqueFd taken = accept_one(full.server, f.shard);
  REQUIRE(f.wait_for(State::kActive));
  CHECK(IoShard::now_ms() - begin_ms < 500);
  // The other requests came too late.
  serve_for(f.shard, 1200);
  CHECK(f.seen.made == 1);
  CHECK(f.client->status().state == State::kActive);
}

TEST_CASE("An order to reconnect does not wait") {
  const UniqueFd server = listen_tcp();
  Fixture f({tcp(port_of(server))});
  const UniqueFd first = accept_one(server, f.shard);
  REQUIRE(f.wait_for(State::kActive));
  const std::int64_t begin_ms = IoShard::now_ms();
  f.client->reconnect("asked to");
  REQUIRE(serve_until(f.shard, [&] { return f.seen.made == 2; }));
  CHECK(IoShard::now_ms() - begin_ms < 500);
  CHECK(f.seen.closed == std::vector<std::string>{"asked to"});
}

TEST_CASE("Active unix targets connect") {
  const TempFolder folder;
  const UniqueFd server = make_socket(AF_UNIX);
  REQUIRE(bind_unix(server.get(), folder / "sock") == 0);
  REQUIRE(listen(server.get(), 5) == 0);
  Fixture f({"unix:" + folder / "sock"});
  CHECK(f.wait_for(State::kActive));
}

TEST_CASE("A client can be stopped in any state") {
  const UniqueFd server = listen_tcp();
  { const Fixture at_once({tcp(port_of(server))}); }
  {
    Fixture active({tcp(port_of(server))});
    REQUIRE(active.wait_for(State::kActive));
  }
  Fixture waiting({"unix:/nonexistent/sock"});
  REQUIRE(serve_until(waiting.shard, [&] { return !waiting.client->status().last_error.empty(); }));
}
