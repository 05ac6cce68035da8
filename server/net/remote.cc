#include "server/net/remote.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/net/socket_address.h"

namespace tandem::net {

namespace {

constexpr std::int64_t kDefaultProbeMs = 5000;
constexpr std::int64_t kShortestProbeMs = 1000;

std::string_view state_name(ClientStatus::State state) {
  switch (state) {
    case ClientStatus::State::kVoid:
      return "VOID";
    case ClientStatus::State::kBackoff:
      return "BACKOFF";
    case ClientStatus::State::kConnecting:
      return "CONNECTING";
    case ClientStatus::State::kActive:
      return "ACTIVE";
  }
  return "";
}

}  // namespace

Remote::Remote(const RemoteContext& context, RemoteSpec spec)
    : context_(context), spec_(std::move(spec)) {}

void Remote::open() {
  if (!spec_.target.is_passive()) return connect();
  listener_ = std::make_unique<Listener>(
      context_.home, spec_.target,
      [this](UniqueFd fd, std::string name) { accept(std::move(fd), std::move(name)); },
      spec_.options.freebind);
  listener_->open();
}

void Remote::retry_listening() {
  if (listener_ != nullptr) listener_->open();
}

std::int64_t Remote::probe_ms() const {
  const bool is_unix =
      spec_.target.kind == Target::Kind::kUnix || spec_.target.kind == Target::Kind::kPunix;
  const std::int64_t wanted =
      spec_.options.inactivity_probe_ms.value_or(is_unix ? 0 : kDefaultProbeMs);
  return wanted > 0 ? std::max(wanted, kShortestProbeMs) : 0;
}

void Remote::accept(UniqueFd fd, std::string name) {
  if (spec_.target.kind != Target::Kind::kPunix) {
    const auto address = SocketAddress::local_of(fd.get());
    if (address && address->is_ip())
      tune_tcp_socket(fd.get(), address->family(), spec_.options.dscp);
  }
  const std::uint64_t id = next_id_++;
  IoShard& shard = context_.next_shard();
  ConnectionOptions options;
  options.info.name = std::move(name);
  options.info.remote = spec_.target.text;
  options.info.role = spec_.options.role;
  options.info.read_only = spec_.options.read_only;
  options.probe_ms = probe_ms();
  options.keepalive_ms = spec_.options.keepalive_ms;
  options.limits = context_.limits;
  options.make_handler = context_.make_handler;
  options.on_ended = [this, id](const ConnectionEnding&) {
    context_.home.post([this, id] { forget(id); });
  };
  auto connection = std::make_shared<Connection>(shard, std::move(options));
  connections_.emplace(id, connection);
  TlsContext* tls = spec_.target.is_tls() ? &context_.tls : nullptr;
  shard.post([connection = std::move(connection), fd = std::move(fd), tls]() mutable {
    connection->start(std::move(fd), tls);
  });
}

void Remote::forget(std::uint64_t id) {
  connections_.erase(id);
  if (is_idle()) context_.on_idle();
}

void Remote::connect() {
  ClientOptions options;
  options.targets = {spec_.target};
  options.name = spec_.target.text;
  options.role = spec_.options.role;
  options.read_only = spec_.options.read_only;
  options.dscp = spec_.options.dscp;
  options.probe_ms = probe_ms();
  options.keepalive_ms = spec_.options.keepalive_ms;
  options.backoff.max_ms = spec_.options.max_backoff_ms;
  options.limits = context_.limits;
  options.make_handler = context_.make_handler;
  client_shard_ = &context_.next_shard();
  client_ = std::make_shared<ClientConnection>(
      *client_shard_, &context_.tls, std::move(options), [this](const ClientStatus& status) {
        context_.home.post([this, status] { client_status_ = status; });
      });
  client_shard_->post([client = client_] { client->start(); });
}

void Remote::reconfigure(const RemoteOptions& options) {
  spec_.options = options;
  for (const auto& [id, connection] : connections_) {
    connection->shard().post([connection = connection, options, probe = probe_ms()] {
      connection->reconfigure(options.role, options.read_only, probe);
    });
  }
  if (client_ == nullptr) return;
  client_shard_->post([client = client_, options, probe = probe_ms()] {
    client->reconfigure(options.role, options.read_only, probe, options.max_backoff_ms);
  });
}

void Remote::disconnect(const std::string& reason) {
  for (const auto& [id, connection] : connections_) {
    connection->shard().post([connection = connection, reason] { connection->close(reason); });
  }
  if (client_ != nullptr)
    client_shard_->post([client = client_, reason] { client->reconnect(reason); });
}

void Remote::close(const std::string& reason) {
  listener_.reset();
  for (const auto& [id, connection] : connections_) {
    connection->shard().post([connection = connection, reason] { connection->close(reason); });
  }
  if (client_ == nullptr) return;
  client_shard_->post([this, reason, client = client_.get()] {
    client->stop(reason, [this] {
      context_.home.post([this] {
        client_.reset();
        context_.on_idle();
      });
    });
  });
}

RemoteStatus Remote::status(std::int64_t now_ms) const {
  return spec_.target.is_passive() ? passive_status() : active_status(now_ms);
}

RemoteStatus Remote::passive_status() const {
  RemoteStatus status{spec_.target.text, !connections_.empty(), {}};
  status.is_up = listener_ != nullptr && listener_->is_listening();
  status.state = status.is_up ? "listening" : "not listening";
  if (!status.is_up && listener_ != nullptr) status.problem = listener_->problem();
  status.connections = connections_.size();
  if (connections_.size() > 1) status.values["n_connections"] = std::to_string(connections_.size());
  if (listener_ != nullptr && listener_->bound_port() != 0) {
    status.values["bound_port"] = std::to_string(listener_->bound_port());
  }
  // Without meaning for a listener, but ovsdb-server has them.
  status.values["sec_since_connect"] = status.values["sec_since_disconnect"] = "0";
  return status;
}

RemoteStatus Remote::active_status(std::int64_t now_ms) const {
  const ClientStatus& client = client_status_;
  RemoteStatus status{spec_.target.text, client.state == ClientStatus::State::kActive, {}};
  status.is_up = status.is_connected;
  status.values["state"] = state_name(client.state);
  status.state = status.is_connected                                ? "connected"
                 : client.state == ClientStatus::State::kConnecting ? "connecting"
                                                                    : "waiting";
  if (!status.is_connected) status.problem = client.last_error;
  status.connections = status.is_connected ? 1 : 0;
  if (!client.last_error.empty()) status.values["last_error"] = client.last_error;
  const auto add_age = [&](const char* key, std::int64_t since_ms) {
    if (since_ms >= 0) status.values[key] = std::to_string((now_ms - since_ms) / 1000);
  };
  add_age("sec_since_connect", client.connected_ms);
  add_age("sec_since_disconnect", client.disconnected_ms);
  return status;
}

}  // namespace tandem::net
