#include "server/relay/relay_service.h"

#include <algorithm>
#include <utility>

#include "server/forwarding/remote_forwarder.h"
#include "server/logging/log.h"
#include "server/relay/relay_database.h"
#include "server/relay/relay_link.h"
#include "server/session/session_limits.h"

namespace tandem {
namespace {

log::Module relay_log("relay");

}  // namespace

/// One database and its source: connection, link, forwarded transactions. On the shard.
class RelayService::Relay final : public RelayLinkPort,
                                  public ForwardsPort,
                                  public net::WheelTimer,
                                  public std::enable_shared_from_this<Relay> {
 public:
  Relay(RelayService& service, const std::string& database, RelaySource source)
      : service_(service),
        database_(database),
        source_(std::move(source)),
        copy_(service.server_, service.shard_, database),
        link_(database, service.server_.server_id(), source_.targets.size(), copy_, *this),
        forwards_(database, Forwards::Copy::kRelay, "forwarded-" + database + "-",
                  SessionLimits().message_bytes, *this) {
    status_.source = source_.text;
  }

  void start() {
    changed();
    if (source_.targets.empty()) {
      log_info(database_ + ": the source is passive, and nobody connects to it");
      return;
    }
    service_.shard_.set_timer(*this, monotonic_ms() + kTickMs);
    client_ = std::make_unique<net::ClientConnection>(
        service_.shard_, &service_.tls_, client_options(),
        [this](const net::ClientStatus& status) { on_status(status); });
    client_->start();
  }

  /// `done` runs on the shard when nothing of it is in use any more.
  void stop(const std::string& reason, Task done) {
    cancel_timer();
    forwards_.end("the database was removed");
    if (client_ == nullptr) return done();
    client_->stop(reason, std::move(done));
  }

  void set_probe_ms(std::int64_t probe_ms) {
    source_.probe_ms = probe_ms;
    if (client_ != nullptr) client_->reconfigure("", false, probe_ms, source_.max_backoff_ms);
  }

  Forwards& forwards() { return forwards_; }

  // RelayLinkPort and ForwardsPort
  void send(std::string text) override {
    if (connection_ != nullptr) connection_->send(std::move(text));
  }
  bool has_room() const override { return net::has_room(connection_); }
  void restart(const std::string& reason) override {
    if (connection_ != nullptr) connection_->close(reason);
  }
  std::int64_t monotonic_ms() const override { return net::IoShard::now_ms(); }
  void changed() override {
    status_.link = link_.status();
    MutexLock lock(service_.mutex_);
    service_.status_[database_] = status_;
  }
  void current() override { forwards_.open(); }
  void log_info(const std::string& text) override { relay_log.info("{}", text); }
  void answer(std::unique_ptr<TransactCall> call) override {
    copy_.submit([server = &service_.server_, call = std::move(call)]() mutable {
      server->answer(std::move(call));
    });
  }
  void take_back(std::unique_ptr<TransactCall> call) override {
    RemoteForwarder::take_back(service_.server_, service_.shard_, std::move(call));
  }

 private:
  /// The connection's handler: passes everything on.
  class Handler final : public ConnectionHandler {
   public:
    Handler(Relay& relay, ConnectionPort& port) : relay_(relay) {
      relay_.connection_ = &port;
      relay_.status_.connected_to = port.info().name;
      relay_.link_.on_connected(port.info().name);
    }
    void on_message(JsonRpcMessage message) override {
      const bool is_answer = message.kind == JsonRpcMessage::Kind::kReply ||
                             message.kind == JsonRpcMessage::Kind::kError;
      if (is_answer && relay_.forwards_.on_answer(message)) return;
      relay_.link_.on_message(message);
    }
    void on_writable() override { relay_.forwards_.on_writable(); }
    void on_closed(const std::string& reason) override {
      relay_.connection_ = nullptr;
      relay_.forwards_.close(reason);
      relay_.link_.on_disconnected(reason);
    }

   private:
    Relay& relay_;
  };

  net::ClientOptions client_options() {
    net::ClientOptions options = net::options_to_copy_from(source_.targets);
    options.name = source_.text;
    options.probe_ms = source_.probe_ms;
    options.dscp = source_.dscp;
    options.backoff = {std::min<std::int64_t>(100, source_.max_backoff_ms), source_.max_backoff_ms,
                       0};
    options.make_handler = [this](ConnectionPort& port) {
      return std::make_unique<Handler>(*this, port);
    };
    return options;
  }

  void on_status(const net::ClientStatus& status) {
    status_.connection_error = status.last_error;
    changed();
  }

  void on_timer(std::int64_t now_ms) override {
    link_.tick();
    changed();
    service_.shard_.set_timer(*this, now_ms + kTickMs);
  }

  static constexpr std::int64_t kTickMs = 250;

  RelayService& service_;
  const std::string database_;
  RelaySource source_;
  Status status_;
  RelayDatabase copy_;
  RelayLink link_;
  Forwards forwards_;
  ConnectionPort* connection_ = nullptr;
  std::unique_ptr<net::ClientConnection> client_;  // last: its handler uses all the above
};

RelayService::RelayService(DatabaseServer& server, net::IoShard& shard, net::TlsContext& tls)
    : server_(server), shard_(shard), tls_(tls) {}

RelayService::~RelayService() = default;

Result<void> RelayService::add(const std::string& database, const RelaySource& source) {
  const auto relay = std::make_shared<Relay>(*this, database, source);
  const std::shared_ptr<Forwards> forwards(relay, &relay->forwards());
  if (Result<void> added =
          server_.add_relay(database, std::make_shared<RemoteForwarder>(server_, shard_, forwards));
      !added)
    return added;
  shard_.post([this, database, relay] {
    relays_[database] = relay;
    relay->start();
  });
  return {};
}

void RelayService::remove(const std::string& database) {
  shard_.post([this, database] {
    const auto found = relays_.extract(database);
    if (found.empty()) return;
    const std::shared_ptr<Relay> relay = found.mapped();
    {
      MutexLock lock(mutex_);
      status_.erase(database);
    }
    // It must not go inside a call from its own connection.
    relay->stop("the database was removed", [this, relay] { shard_.post([relay] {}); });
  });
}

void RelayService::set_probe_ms(std::int64_t probe_ms) {
  shard_.post([this, probe_ms] {
    for (const auto& [database, relay] : relays_) relay->set_probe_ms(probe_ms);
  });
}

void RelayService::stop(Task done) {
  shard_.post([this, done = std::move(done)]() mutable {
    const auto relays = std::exchange(relays_, {});
    if (relays.empty()) return done();
    const auto left =
        std::make_shared<std::pair<std::size_t, Task>>(relays.size(), std::move(done));
    for (const auto& [database, relay] : relays) {
      relay->stop("server exiting", [this, left, relay = relay] {
        shard_.post([relay] {});  // it must not go inside a call from its own connection
        if (--left->first == 0) left->second();
      });
    }
  });
}

std::map<std::string, RelayService::Status> RelayService::status() const {
  MutexLock lock(mutex_);
  return status_;
}

}  // namespace tandem
