#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "server/net/connection.h"
#include "tests/unit/server/net/net_fixture.h"

namespace tandem::net::test {

/// A connection over a socket pair, the other end in the test's hand.
struct ConnectionFixture {
  explicit ConnectionFixture(std::int64_t probe_ms = 0, ConnectionLimits limits = {}) {
    auto [ours, theirs] = socket_pair();
    ConnectionOptions options;
    options.info.name = "unix#0";
    options.probe_ms = probe_ms;
    options.limits = limits;
    options.make_handler = recorder(seen);
    options.on_ended = [this](const ConnectionEnding& how) { ending = how; };
    connection.emplace(shard, std::move(options));
    peer.emplace(std::move(theirs));
    connection->start(std::move(ours), nullptr);
  }
  /// Everything that the peer can read until `condition` holds.
  std::string collect_until(const std::function<bool(const std::string&)>& condition) {
    std::string text;
    serve_until(shard, [&] {
      text += peer->read();
      return condition(text);
    });
    return text;
  }

  IoShard shard{0};
  Seen seen;
  std::optional<ConnectionEnding> ending;
  std::optional<Connection> connection;
  std::optional<Peer> peer;
};

}  // namespace tandem::net::test
