#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "protocol/json/json_reader.h"
#include "server/session/client_hub.h"
#include "server/session/session.h"
#include "tests/support/fake_file_system.h"
#include "tests/unit/server/session/fake_connection.h"

namespace tandem::session_test {

class TestClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 7; }
  std::int64_t monotonic_ms() const override { return now; }
  std::int64_t monotonic_us() const override { return now * 1000 + (passed_us += step_us); }
  std::int64_t now = 1000;
  std::int64_t step_us = 0;  ///< that pass with each look at the clock

 private:
  mutable std::int64_t passed_us = 0;
};

class QuickSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile>, Done done) override { done({}); }
};

/// A server of one database "D" and what its clients share. Everything runs when run() is called.
struct Site {
  explicit Site(const SessionLimits& site_limits = {},
                std::optional<std::size_t> history_bytes = {})
      : limits(site_limits) {
    add("D", history_bytes);
  }
  /// Serves another database like "D".
  void add(const std::string& name, std::optional<std::size_t> history_bytes = {}) {
    const std::string path = "/" + name + ".db";
    REQUIRE(storage::LogFile::create(
        files, path,
        R"({"name":")" + name +
            R"(","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true}}})"));
    server.call(
        [&] {
          auto stored = StoredDatabase::open(files, path, {.history_bytes = history_bytes}, clock);
          REQUIRE(stored);
          REQUIRE(server.add(std::move(*stored)));
        },
        shard);
    run();
  }
  /// Until nothing is left to do.
  void run() {
    do {
      shard.run();
      background.run();
      reader.run();
    } while (!shard.idle() || !background.idle() || !reader.idle());
  }
  /// That much time passes, and the writer is woken as it wished.
  void pass(std::int64_t ms) {
    clock.now += ms;
    server.call([this] { server.tick(); }, shard);
    run();
  }
  ServedDatabase& database() { return *server.find("D"); }
  Position position() { return database().stored->position(); }

  const SessionLimits limits;
  TestClock clock;
  test::FakeFileSystem files;
  QuickSyncer syncer;
  FakeRunner background;
  FakeRunner reader;
  FakeShard shard;
  int deposed = 0;
  DatabaseServer server{{clock, files, syncer, background, [](std::int64_t) {}}};
  ClientHub hub{server, shard, reader, [this] { ++deposed; }, limits};
};

/// A client of the site.
struct Client {
  explicit Client(Site& s, ConnectionInfo info = {}) : site(s), connection(s.shard) {
    connection.identity = std::move(info);
    handler = site.hub.make_session(connection);
  }
  ~Client() {
    handler->on_closed("");
    site.run();
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Says something without waiting.
  void say(const std::string& method, const std::string& params, const std::string& id) {
    const std::string text =
        R"({"method":")" + method + R"(","params":)" + params + R"(,"id":)" + id + "}";
    JsonRpcMessage message = JsonRpcMessage::from_json(parse_json(text).value()).value();
    message.bytes = text.size();
    handler->on_message(std::move(message));
  }
  void notify(const std::string& method, const std::string& params) {
    say(method, params, "null");
    site.run();
  }
  /// What comes back of a request, as text.
  std::string ask(const std::string& method, const std::string& params) {
    connection.take();
    say(method, params, "1");
    site.run();
    std::string answers;
    for (const std::string& text : connection.take()) answers += text;
    return answers;
  }
  std::string follow(const std::string& server_id, const Position& from,
                     const std::string& more = "") {
    return ask("tandem_follow", follow_params(server_id, from, more));
  }
  /// The same without waiting.
  void say_follow(const std::string& server_id, const Position& from, const std::string& id) {
    say("tandem_follow", follow_params(server_id, from, ""), id);
  }
  static std::string follow_params(const std::string& server_id, const Position& from,
                                   const std::string& more) {
    return R"(["D",{"position":)" + to_text(from) + R"(,"server_id":")" + server_id +
           R"(","name":"h","file":"/f")" + more + "}]";
  }
  void acknowledge(const Position& position) {
    notify("tandem_ack", R"(["D",)" + to_text(position) + "]");
  }

  Site& site;
  FakeConnection connection;
  std::unique_ptr<ConnectionHandler> handler;
};

inline const char* const kBackup = "11111111-1111-4111-8111-111111111111";
inline const char* const kOther = "22222222-2222-4222-8222-222222222222";

}  // namespace tandem::session_test
