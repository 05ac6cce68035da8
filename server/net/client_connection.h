#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/target.h"
#include "server/net/backoff.h"
#include "server/net/connection.h"
#include "server/net/connector.h"

namespace tandem::net {

/// What a client's connections are made of.
struct ClientOptions {
  std::vector<Target> targets;  ///< active ones, at least one; tried in turn
  std::string name;             ///< what ConnectionInfo::remote says
  std::string role;
  bool read_only = false;
  std::optional<int> dscp;
  std::int64_t probe_ms = 5000;
  std::optional<std::int64_t> keepalive_ms;  ///< see ConnectionOptions
  std::int64_t connect_timeout_ms = 5000;
  std::int64_t resend_ms = 0;  ///< see Connector
  Backoff::Options backoff;
  Backoff::Random random;  ///< for backoff.jitter
  ConnectionLimits limits;
  HandlerFactory make_handler;  ///< called for every connection that comes about
};

/// For a connection to the server whose databases are copied here.
ClientOptions options_to_copy_from(std::vector<Target> targets);

/// Does that connection take more? Null: there is none. If not, on_writable() follows.
bool has_room(const ConnectionPort* connection);

struct ClientStatus {
  /// Named as the status column of OVN's Connection table shows it.
  enum class State : std::uint8_t {
    kVoid,        ///< not started, or stopped
    kBackoff,     ///< waiting before the next attempt
    kConnecting,  ///< attempt under way, TLS handshake included
    kActive,      ///< connected
  };
  State state = State::kVoid;
  std::string target;      ///< the last one tried
  std::string last_error;  ///< empty: none so far
  std::int64_t connected_ms =
      -1;  ///< when it last connected, on IoShard::now_ms()'s clock; -1: never
  std::int64_t disconnected_ms = -1;  ///< when it last lost a connection
};

/// Keeps one connection to the first of some servers that takes it, and makes it anew whenever it
/// ends: for replication, for active remotes, for programs. All of it runs on the shard's thread
/// but the constructor, and the destructor: after stop() is done, or after the shard has stopped.
class ClientConnection final : private WheelTimer, private Deferred {
 public:
  using OnStatus = std::function<void(const ClientStatus&)>;

  /// `tls` may be null if no target needs it; else it must outlive this.
  ClientConnection(IoShard& shard, TlsContext* tls, ClientOptions options, OnStatus on_status = {});
  ~ClientConnection() override;

  void start();
  /// Drops the connection, if there is one, and connects without waiting.
  void reconnect(const std::string& reason);
  /// Ends the connection for good; `done` follows as a task of its own, after the handler's
  /// on_closed().
  void stop(const std::string& reason, Task done);
  /// For the connection at hand and those to come; a new maximum of the backoff counts from the
  /// next wait on.
  void reconfigure(const std::string& role, bool read_only, std::int64_t probe_ms,
                   std::int64_t max_backoff_ms);
  const ClientStatus& status() const { return status_; }

 private:
  void on_timer(std::int64_t now_ms) override;
  void run_deferred() override;

  void schedule();
  void attempt();
  void connected(UniqueFd fd);
  void attempt_failed(const std::string& error);
  void ended(const ConnectionEnding& ending);
  void set_state(ClientStatus::State state);
  const Target& target() const { return options_.targets[turn_ % options_.targets.size()]; }

  IoShard& shard_;
  TlsContext* tls_;
  ClientOptions options_;
  OnStatus on_status_;
  Backoff backoff_;
  ClientStatus status_;
  std::size_t turn_ = 0;  ///< which target is next; waits come between rounds, not between targets
  std::unique_ptr<Connector> connector_;
  std::unique_ptr<Connection> connection_;
  bool quiet_ = false;  ///< attempts are no longer logged
  bool stopping_ = false;
  Task stopped_;
};

}  // namespace tandem::net
