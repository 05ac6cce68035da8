#include "tests/simulation/node.h"

namespace tandem::simulation {

Process::Process(World& w, Node&, storage::FileSystem& files, const std::string& host,
                 const CommitGate::Options& gate)
    : world(w),
      shard(w),
      server({world, files, syncer, shard,
              [this](std::int64_t at_ms) {
                world.at(at_ms, [this, alive = std::weak_ptr(alive_)] {
                  if (!alive.expired()) server.submit([this] { server.tick(); }, shard);
                });
              }}),
      hub(std::make_unique<ClientHub>(server, shard)),
      host_(host) {
  server.set_sync(gate);
  server.call(
      [&] {
        static_cast<void>(
            server.add(StoredDatabase::open(files, kFile, {}, world).value()).value());
      },
      shard);
}

Process::~Process() {
  alive_.reset();
  shard.kill();
  stop_following();
  for (const std::weak_ptr<Wire>& other : served) {
    if (const auto wire = other.lock()) {
      wire->forget_session();
      wire->cut();
    }
  }
}

void Process::follow(Node& active) {
  stop_following();
  active_ = &active;
  DatabaseInfoRef info;
  server.call([&] { info = database().info; }, shard);
  replica_ = std::make_unique<DatabaseReplica>(server, shard, info, std::set<std::string>());
  link_ = std::make_unique<ActiveLink>(BackupIdentity{server.server_id(), host_},
                                       static_cast<ActiveLinkPort&>(*this));
  link_->add("T", *replica_);
}

void Process::stop_following() {
  if (wire_) {
    wire_->forget_link();
    wire_->cut();
    wire_.reset();
  }
  link_.reset();
  replica_.reset();
  active_ = nullptr;
}

void Process::tick() {
  if (!link_) return;
  link_->tick();
  if (wire_ && wire_->is_closed()) wire_.reset();
  if (wire_ || !active_->is_up()) return;
  Process& other = *active_->process;
  wire_ = std::make_shared<Wire>(world, *link_, *other.hub, other.shard);
  other.served.push_back(wire_);
  wire_->open();
}

}  // namespace tandem::simulation
