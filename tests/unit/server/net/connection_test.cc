#include "server/net/connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <catch2/catch.hpp>

#include "protocol/json/json_reader.h"
#include "tests/unit/server/net/connection_fixture.h"

using namespace tandem;
using namespace tandem::net;
using namespace tandem::net::test;

TEST_CASE(
    "The kernel asks after a TCP peer's host as often as probes do, also while we do not read") {
  IoShard shard{0};
  Seen seen;
  const UniqueFd listener = listen_tcp();
  UniqueFd ours = connect_tcp(port_of(listener));
  const int socket = ours.get();
  fcntl(socket, F_SETFL, O_NONBLOCK);
  const auto option = [socket](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(socket, level, name, &value, &size);
    return value;
  };
  ConnectionOptions options;
  options.probe_ms = 5000;
  options.make_handler = recorder(seen);
  Connection connection(shard, std::move(options));
  connection.start(std::move(ours), nullptr);
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 5);
  CHECK(option(IPPROTO_TCP, TCP_KEEPINTVL) == 5);
  CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 20'000);
  connection.reconfigure("", false, 1500);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 2);
  CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 8000);
  connection.reconfigure("", false, std::int64_t{1} << 50);
  CHECK(option(IPPROTO_TCP, TCP_KEEPIDLE) == 32'767);
  connection.reconfigure("", false, 0);
  CHECK(option(SOL_SOCKET, SO_KEEPALIVE) == 0);
  CHECK(option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 0);
}

TEST_CASE("Messages arrive whole however the stream is cut") {
  ConnectionFixture f;
  const std::string text =
      R"({"id":1,"method":"a","params":[]} {"method":"b","params":["\"}"],"id":null})";
  for (char c : text) {
    f.peer->write(std::string(1, c));
    f.shard.run_once(10);
  }
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 2; }));
  CHECK(f.seen.messages[0].method == "a");
  CHECK(f.seen.messages[1].kind == JsonRpcMessage::Kind::kNotification);
}

TEST_CASE("Many messages of one read are all handled, in order") {
  ConnectionFixture f;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += fmt::format(R"({{"id":{},"method":"m","params":[]}})", i);
  REQUIRE(f.peer->write(text));
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 1000; }));
  CHECK(f.seen.messages[999].id == JsonId(999));
}

TEST_CASE("Echo requests are answered without the handler") {
  ConnectionFixture f;
  f.peer->write(R"({"id":7,"method":"echo","params":["x"]})");
  const std::string answer = f.collect_until([](const std::string& text) { return !text.empty(); });
  CHECK(to_text(*parse_json(answer)) == R"({"error":null,"id":7,"result":["x"]})");
  CHECK(f.seen.messages.empty());
}

TEST_CASE("What is sent in one turn arrives in order and the end of the peer is told") {
  ConnectionFixture f;
  f.connection->send("one");
  f.connection->send("two");
  f.connection->send(std::make_shared<const std::string>("three"));
  CHECK(f.connection->queued_bytes() == 11);
  CHECK(f.collect_until([](const std::string& text) { return text.size() >= 11; }) ==
        "onetwothree");
  CHECK(f.connection->queued_bytes() == 0);
  f.peer->close();
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(f.seen.closed == std::vector<std::string>{"connection closed by peer"});
  CHECK(f.ending->opened);
}

TEST_CASE("Invalid messages close the connection with the warnings that ovsdb-server logs") {
  LogCapture log;
  ConnectionFixture f;
  f.peer->write(R"({"a":1})");
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(f.ending->reason == "Protocol error");
  CHECK(log.count("jsonrpc|WARN|unix#0: received bad JSON-RPC message: message has unexpected "
                  "member \"a\"") == 1);
  CHECK(log.count("reconnect|WARN|unix#0: connection dropped (Protocol error)") == 1);
  f.peer->read();
  CHECK(f.peer->closed());
}

TEST_CASE("A client that goes away logs no warning") {
  LogCapture log;
  ConnectionFixture f;
  f.peer->close();
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(log.count("|WARN|") == 0);
  CHECK(log.count("|ERR|") == 0);
}

TEST_CASE("The debug log shows what is received and sent") {
  LogCapture log;
  ConnectionFixture f;
  f.peer->write(R"({"method":"update3","params":[["monid","db"],"x",{"b":1,"a":2}],"id":null})");
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 1; }));
  f.connection->send(R"({"id":3,"result":)");
  f.connection->send(R"([1],"error":null})");
  serve_for(f.shard, 20);
  CHECK(
      log.count(
          R"(jsonrpc|DBG|unix#0: received notification, method="update3", params=[["monid","db"],"x",{"a":2,"b":1}])") ==
      1);
  CHECK(log.count(R"(jsonrpc|DBG|unix#0: send reply, result=[1], id=3)") == 1);
}

TEST_CASE("A stranger's first message is shorter than those of a client that has shown itself") {
  ConnectionLimits limits;
  limits.first_message_bytes = 1000;
  limits.max_message_bytes = 10'000;
  limits.counts = std::make_shared<LimitCounts>();
  const auto message = [](std::size_t bytes) {
    return R"({"id":1,"method":"m","params":[")" + std::string(bytes, 'x') + "\"]}";
  };
  LogCapture log;
  {
    ConnectionFixture f(0, limits);
    f.peer->write(message(5000));
    REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
    CHECK(f.ending->reason == "message is longer than --max-first-message-size=1000 bytes");
    CHECK(f.seen.messages.empty());
  }
  ConnectionFixture f(0, limits);
  f.peer->write(message(500));
  f.peer->write(message(5000));
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 2; }));
  f.peer->write(message(20'000));
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(f.ending->reason == "message is longer than --max-message-size=10000 bytes");
  CHECK(limits.counts->of(Limit::kFirstMessageSize).connections == 1);
  CHECK(limits.counts->of(Limit::kMessageSize).times == 1);
}

TEST_CASE("Silence is not the peer's while the handler does not read, whatever is in the buffer") {
  ConnectionFixture f(60);
  f.seen.react = [](ConnectionPort& port, const JsonRpcMessage&) { port.set_reading(false); };
  for (int i = 0; i < 3; ++i) f.peer->write(R"({"id":1,"method":"m","params":[]})");
  serve_for(f.shard, 400);
  CHECK(f.seen.messages.size() == 1);
  CHECK_FALSE(f.ending.has_value());
}

TEST_CASE("A handler can hold further messages back") {
  ConnectionFixture f;
  f.seen.react = [](ConnectionPort& port, const JsonRpcMessage&) { port.set_reading(false); };
  for (int i = 0; i < 3; ++i) f.peer->write(R"({"id":1,"method":"m","params":[]})");
  serve_for(f.shard, 50);
  CHECK(f.seen.messages.size() == 1);
  f.connection->set_reading(true);
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 2; }));
  f.seen.react = {};
  f.connection->set_reading(true);
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 3; }));
  f.peer->write(R"({"id":1,"method":"m","params":[]})");
  REQUIRE(serve_until(f.shard, [&] { return f.seen.messages.size() == 4; }));
}

TEST_CASE("Closing sends what is queued, then tells the handler in a task of its own") {
  ConnectionFixture f;
  f.connection->send("last words");
  f.connection->close("because");
  f.connection->send("too late");
  CHECK(f.seen.closed.empty());
  const std::string text = f.collect_until([&](const std::string&) { return f.peer->closed(); });
  CHECK(text == "last words");
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(f.seen.closed == std::vector<std::string>{"because"});
}

TEST_CASE("A handler may close its connection from within any callback") {
  ConnectionFixture f;
  f.seen.react = [](ConnectionPort& port, const JsonRpcMessage&) { port.close("enough"); };
  f.peer->write(R"({"id":1,"method":"m","params":[]}{"id":2,"method":"m","params":[]})");
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(f.seen.messages.size() == 1);
}

TEST_CASE("A silent peer is probed and, if it stays silent, dropped") {
  LogCapture log;
  ConnectionFixture f(200);
  const std::string probe = f.collect_until([](const std::string& text) { return !text.empty(); });
  CHECK(to_text(*parse_json(probe)) == R"({"id":"echo","method":"echo","params":[]})");
  REQUIRE(serve_until(f.shard, [&] { return f.ending.has_value(); }));
  CHECK(log.count("reconnect|ERR|unix#0: no response to inactivity probe after 0.2 seconds, "
                  "disconnecting") == 1);
}

TEST_CASE("The answer to a probe keeps the connection and does not reach the handler") {
  ConnectionFixture f(200);
  int answered = 0;
  serve_until(f.shard, [&] {
    if (!f.peer->read().empty()) {
      f.peer->write(R"({"id":"echo","result":[],"error":null})");
      ++answered;
    }
    return answered == 3 || f.ending.has_value();
  });
  CHECK(answered == 3);
  CHECK_FALSE(f.ending);
  CHECK(f.seen.messages.empty());
}

TEST_CASE("A peer that slowly takes a long answer is alive") {
  ConnectionFixture f(300);
  f.connection->send(std::string(3'000'000, 'x'));
  for (int i = 0; i < 15; ++i) {
    f.peer->read(150'000);
    serve_for(f.shard, 50);
  }
  CHECK_FALSE(f.ending);
}

TEST_CASE("Options change while the connection lives") {
  ConnectionFixture f(0);
  f.connection->reconfigure("ovn-controller", true, 100);
  CHECK(f.seen.port->info().role == "ovn-controller");
  CHECK(f.seen.port->info().read_only);
  CHECK_FALSE(f.collect_until([](const std::string& text) { return !text.empty(); }).empty());
}
