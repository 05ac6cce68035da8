// For how long this server may write, what commits wait for, and who may follow.

#include <fmt/core.h>

#include <algorithm>

#include "server/control/command_registry.h"
#include "server/daemon/server.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

Error deposed_error(Epoch epoch) {
  return control::command_error(fmt::format(
      "another server was made active in epoch {}: only a promotion gives the role back",
      static_cast<std::uint64_t>(epoch)));
}

}  // namespace

// --- the role lease ---

/// The epoch in which this server writes, or last wrote: the greatest of its databases.
Epoch Server::epoch() const {
  Epoch greatest{};
  for (const auto& [name, entry] : board_.entries())
    greatest = std::max(greatest, entry.position.epoch);
  return greatest;
}

/// Another server was made active in the epoch that is here.
bool Server::is_deposed() const { return lease_.deposed() == epoch(); }

Result<void> Server::renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted) {
  const Epoch now = epoch();
  if (wanted && *wanted != now) {
    return control::command_error(fmt::format("this server is in epoch {}, not {}",
                                              static_cast<std::uint64_t>(now),
                                              static_cast<std::uint64_t>(*wanted)));
  }
  if (is_deposed()) return deposed_error(now);
  lease_.renew(length_ms, net::IoShard::now_ms());
  apply_lease();
  save_state();
  return {};
}

Result<void> Server::disarm_lease() {
  if (is_deposed()) return deposed_error(epoch());
  lease_.disarm();
  apply_lease();
  save_state();
  return {};
}

/// Brings writer, listeners and timer in line with the lease; says so when it ran out or is back.
void Server::apply_lease() {
  const std::optional<std::int64_t> deadline = lease_.deadline_ms();
  submit([this, deadline] { databases_.set_write_deadline(deadline); });
  const bool expired =
      !backup_ && lease_.state(net::IoShard::now_ms()) == control::RoleLease::State::kExpired;
  if (expired != lease_expired_) {
    lease_expired_ = expired;
    if (expired) {
      server_log.warn("role lease of {:.1f} s has run out: read-only until it is renewed",
                      static_cast<double>(lease_.length_ms()) / 1000);
    } else if (!backup_) {
      server_log.info("role lease is renewed: writable again");
    }
    remotes_->set_active(!backup_ && !expired);
  }
  lease_timer_->cancel();
  if (deadline && !expired && !backup_) lease_timer_->set(*deadline);
}

/// A backup says that another server is being made active. Whoever grants the lease does not know
/// yet, or cannot tell any more: the right to write ends now instead of with the lease.
void Server::deposed() {
  if (backup_) return;
  if (lease_.state(net::IoShard::now_ms()) != control::RoleLease::State::kHeld) {
    server_log.warn("a backup says that another server is being made active");
    return;
  }
  server_log.info("a backup says that another server is being made active: giving the lease back");
  lease_.depose(epoch(), net::IoShard::now_ms());
  apply_lease();
  save_state();
}

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
  for (ClientShard& client : shards_) {
    client.shard->post([hub = client.hub.get(), peers = peers_] { hub->set_peers(peers); });
  }
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

}  // namespace tandem
