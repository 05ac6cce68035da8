#include "tests/simulation/relay_server.h"

#include <utility>

#include "server/forwarding/remote_forwarder.h"

namespace tandem::simulation {

RelayServer::RelayServer(World& world, std::string name, const std::string& database,
                         const Nodes& sources)
    : world_(world),
      name_(std::move(name)),
      database_(database),
      sources_(sources),
      clock_(world),
      no_disk_(world),
      shard_(world, no_disk_),
      server_({clock_, no_files_, *this, shard_, [this](std::int64_t at_ms) { wake_at(at_ms); }}),
      mailbox_(shard_),
      copy_(server_, shard_, database),
      link_(database, server_.server_id(), sources.size(), copy_, *this),
      forwards_(std::make_shared<Forwards>(database, Forwards::Copy::kRelay, "forwarded-",
                                           std::size_t{1} << 20,
                                           static_cast<ForwardsPort&>(*this))) {
  server_.add_client_thread(mailbox_, *this);
  server_.call(
      [this] {
        static_cast<void>(
            server_
                .add_relay(database_, std::make_shared<RemoteForwarder>(server_, shard_, forwards_))
                .value());
      },
      shard_);
}

RelayServer::~RelayServer() {
  alive_.reset();
  shard_.kill();
  if (wire_) wire_->close_link();
}

void RelayServer::wake_at(std::int64_t at_ms) {
  world_.at(clock_.world_ms(at_ms), [this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) server_.submit([this] { server_.tick(); }, shard_);
  });
}

void RelayServer::tick() {
  link_.tick();
  if (wire_ && wire_->is_closed()) wire_.reset();
  if (wire_) return;
  Node& source = *sources_[next_source_++ % sources_.size()];
  if (!source.is_up()) return;
  source_ = source.name;
  Process& there = *source.process;
  wire_ = std::make_shared<Wire>(world_, static_cast<LinkEnd&>(*this), shard_, *there.hub,
                                 there.shard, source.is_plain());
  there.served.push_back(wire_);
  wire_->open();
}

void RelayServer::on_message(const JsonRpcMessage& message) {
  if (!forwards_->on_answer(message)) link_.on_message(message);
}

void RelayServer::on_disconnected(const std::string& reason) {
  forwards_->close(reason);
  link_.on_disconnected(reason);
}

void RelayServer::answer(std::unique_ptr<TransactCall> call) {
  copy_.submit([this, call = std::move(call)]() mutable { server_.answer(std::move(call)); });
}

void RelayServer::submit(std::unique_ptr<TransactCall> call) {
  call->mailbox = &mailbox_;
  server_.submit([this, call = std::move(call)]() mutable { server_.transact(std::move(call)); },
                 shard_);
}

Snapshot RelayServer::snapshot() {
  std::optional<Snapshot> snapshot;
  server_.call([&] { snapshot = server_.find(database_)->stored->database().snapshot(); }, shard_);
  return *snapshot;
}

Contents RelayServer::contents() {
  const Snapshot held = snapshot();
  return held.tables.empty() ? Contents() : contents_of(held);
}

bool RelayServer::holds(std::int64_t number) {
  const Snapshot held = snapshot();
  return !held.tables.empty() && has_row(held, number);
}

}  // namespace tandem::simulation
