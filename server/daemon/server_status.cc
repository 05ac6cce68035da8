// What this server tells of its roles: values for status commands, metrics and load balancers.

#include <unistd.h>

#include <array>

#include "server/daemon/once.h"
#include "server/daemon/server.h"
#include "server/http/http_server.h"
#include "server/logging/vlog.h"
#include "server/posix/own_program.h"

namespace tandem {
namespace {

/// How long status commands wait for a busy writer before they show what is known.
constexpr std::int64_t kRefreshMs = 500;

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

control::SyncStatus Server::sync_status() {
  using State = control::SyncStatus::State;
  control::SyncStatus status;
  const std::map<std::string, FollowerStatus> followers = backups_.status();
  for (const auto& [name, entry] : board_.entries()) {
    control::SyncStatus::Database database;
    database.name = name;
    if (entry.info->relay) continue;
    database.source = upstreams_.source_of(name);
    const bool is_backup = role_.backups().contains(name);
    if (database.source.empty() && !is_backup) continue;
    database.exclude_tables = upstreams_.excluded_of(name);
    if (is_backup) {
      database.state = State::kConnecting;
      if (const auto found = followers.find(name); found != followers.end()) {
        const FollowerStatus& follower = found->second;
        if (follower.state == FollowerStatus::State::kReplicating)
          database.state = follower.stale ? State::kStale : State::kReplicating;
        if (follower.state == FollowerStatus::State::kRefused) database.state = State::kError;
        database.error = follower.error;
        database.stream_refused = follower.stream_refused;
        if (follower.heard_ms) database.silent_ms = net::IoShard::now_ms() - *follower.heard_ms;
      }
    }
    status.databases.push_back(std::move(database));
  }
  return status;
}

control::ServerStatus Server::status() {
  control::ServerStatus status;
  status.server_id = databases_.server_id().to_string();
  status.now_ms = net::IoShard::now_ms();
  status.now_wall_ms = clock_.wall_ms();
  status.uptime_ms = status.now_ms - started_ms_;
  status.pid = ::getpid();
  status.program_gone = own_program().is_gone;
  status.host = host_name();
  status.role = role_.state();
  status.lease = role_.lease();
  status.role_changes = role_.changes();
  status.remotes = remotes_->statuses();
  if (options_.http) status.http.push_back(http::address_text(*options_.http, false));
  if (options_.https) status.http.push_back(http::address_text(*options_.https, true));
  status.sync = sync_;
  status.sync_peers = peers_.to_string();
  status.node_name = upstreams_.node_name();
  status.advertised_role = advertised_role_;
  status.forward_writes = options_.sync.forward_writes;
  status.active_server = upstreams_.active_server();
  status.exclude_tables = upstreams_.excluded_tables();
  for (std::size_t i = 0; i < kLimits; ++i) {
    const auto limit = static_cast<Limit>(i);
    const LimitCounts::Count met = limit_counts_->of(limit);
    status.limits.push_back({std::string(option_of(limit)), value_of(options_.limits, limit),
                             met.times, met.connections});
  }
  status.log_file = log::file_health();
  status.key_files = tls_.files();
  status.monitors = clients_->usage().monitors;
  status.databases = database_statuses();
  return status;
}

std::vector<control::DatabaseStatus> Server::database_statuses() {
  std::vector<control::DatabaseStatus> statuses;
  const std::map<std::string, FollowerStatus> followers = backups_.status();
  const std::map<std::string, RelayService::Status> relays = relays_.status();
  for (const auto& [name, entry] : board_.entries()) {
    control::DatabaseStatus database;
    database.name = name;
    database.entry = entry;
    database.relay = entry.info->relay;
    database.backup = !database.relay && role_.backups().contains(name);
    if (const auto log = entry.log.lock()) {
      database.health = log->health();
      database.file = log->name();
      database.file_bytes = log->size();
      database.file_times = {log->write_times().totals(), log->sync_times().totals()};
    }
    if (const auto found = divergence_files_.find(name); found != divergence_files_.end())
      database.divergence_files = found->second;
    if (database.backup) {
      database.source = upstreams_.source_of(name);
      database.connection_error = backups_.connection_error(name);
      if (const auto found = followers.find(name); found != followers.end())
        database.follower = found->second;
    }
    if (const auto relay = relays.find(name); database.relay && relay != relays.end()) {
      database.source = relay->second.source;
      database.connection_error = relay->second.connection_error;
      database.follower = relay->second.link;
    }
    statuses.push_back(std::move(database));
  }
  return statuses;
}

void Server::refresh(std::function<void(bool fresh)> then) {
  const auto answer = once(std::move(then));
  call_later(kRefreshMs, [answer] { answer(false); });
  when_refreshed([answer] { answer(true); });
}

void Server::when_refreshed(std::function<void()> then) {
  // One that waits for a busy writer will be fresh enough for all who ask meanwhile.
  if (refresh_ != nullptr && !refresh_->begun) {
    refresh_->waiting.push_back(std::move(then));
    return;
  }
  refresh_ = std::make_shared<Refresh>();
  refresh_->waiting.push_back(std::move(then));
  submit([this, refresh = refresh_] {
    refresh->begun = true;
    board_.refresh();
    home_.post([refresh] {
      for (const auto& told : std::exchange(refresh->waiting, {})) told();
    });
  });
}

}  // namespace tandem
