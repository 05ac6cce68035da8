// Backups that commits wait for, clients that may be backups, and what others are told of this
// server: its node's name, and its role.

#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

}  // namespace

// --- synchronous commits ---

void Server::apply_sync() {
  const CommitGate::Options gate{
      sync_.replicas, sync_.timeout_ms,
      sync_.block ? CommitGate::Fallback::kBlock : CommitGate::Fallback::kAsync};
  submit([this, gate] { databases_.set_sync(gate); });
}

void Server::set_sync(const control::SyncSettings& settings) {
  sync_ = settings;
  apply_sync();
  server_log.info("commits wait for {} backups, {} ms, then {}", settings.replicas,
                  settings.timeout_ms, settings.block ? "block" : "go on");
  save_state();
}

// --- peers ---

void Server::apply_peers() {
  clients_->for_each([peers = peers_](ClientHub& hub) { hub.set_peers(peers); });
}

Result<void> Server::set_sync_peers(const std::string& names) {
  const Result<PeerList> peers = PeerList::parse(names);
  if (!peers) return peers.error();
  peers_ = *peers;
  apply_peers();
  server_log.info("clients that may be backups: {}", peers_.to_string());
  save_state();
  return {};
}

// --- what others are told ---

void Server::apply_advertised_role() {
  submit([this, role = advertised_role_] { databases_.set_advertised_role(role); });
}

void Server::set_advertised_role(AdvertisedRole role) {
  if (std::exchange(advertised_role_, role) == role) return;
  apply_advertised_role();
  server_log.info("role advertised to clients: {}", to_string(role));
  save_state();
}

void Server::set_node_name(const std::string& name) {
  if (!upstreams_.set_node_name(name)) return;
  save_state();
  if (role_.state() == RoleState::kBackup) follow(Task());  // the active is told anew
}

}  // namespace tandem
