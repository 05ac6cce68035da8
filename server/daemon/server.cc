#include "server/daemon/server.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <thread>

#include "server/database/free_memory.h"
#include "server/logging/log.h"
#include "server/storage/compaction_policy.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

Error user_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

constexpr std::int64_t kHousekeepingMs = 10'000;

}  // namespace

Server::Server(const Options& options, const Directories& directories, net::IoShard& home,
               std::function<void(const HandoverState&)> save)
    : options_(options),
      directories_(directories),
      home_(home),
      save_(std::move(save)),
      background_(1000),
      replication_(1001),
      wake_(std::make_unique<HomeTimer>(
          home, [this] { databases_.submit([this] { databases_.tick(); }, home_); })),
      housekeeping_(std::make_unique<HomeTimer>(home,
                                                [this] {
                                                  compact_what_is_due();
                                                  housekeeping_->set(net::IoShard::now_ms() +
                                                                     kHousekeepingMs);
                                                })),
      lease_timer_(std::make_unique<HomeTimer>(home, [this] { apply_lease(); })),
      databases_(
          {clock_, files_, sync_thread_, background_,
           [this](std::int64_t at_ms) { home_.post([this, at_ms] { wake_->set(at_ms); }); }}),
      board_(databases_),
      exclude_tables_(options.sync.exclude_tables),
      sync_{options.sync.replicas, options.sync.timeout_ms,
            options.sync.fallback == SyncFallback::kBlock},
      peers_(options.sync.peers),
      started_ms_(net::IoShard::now_ms()) {
  databases_.set_most_waits(options_.limits.waits);
  make_client_shards(options.threads);
  std::vector<net::IoShard*> shards;
  for (ClientShard& client : shards_) shards.push_back(client.shard.get());
  manager_ = std::make_unique<net::RemoteManager>(
      home_, shards, tls_,
      [this](ConnectionPort& port) {
        return shards_[port.shard().index()].hub->make_session(port);
      },
      net::connection_limits(options_.limits, limit_counts_));
  remotes_ = std::make_unique<RemoteConfig>(databases_, home_, *manager_, tls_, directories_.run);
  databases_.add_observer(table_log_);
}

Server::~Server() {
  replication_.stop();
  background_.stop();
  for (ClientShard& client : shards_) client.shard->stop();
}

void Server::make_client_shards(unsigned threads) {
  if (threads == 0) threads = std::max(2U, std::thread::hardware_concurrency()) - 1;
  for (unsigned i = 0; i < threads; ++i) {
    auto shard = std::make_unique<net::IoShard>(i);
    auto hub = std::make_unique<ClientHub>(
        databases_, *shard, [this] { home_.post([this] { deposed(); }); }, options_.limits,
        limit_counts_);
    shards_.push_back({std::move(shard), std::move(hub)});
  }
}

// --- start and end ---

Result<void> Server::start(const std::optional<HandoverState>& before) {
  background_.start();
  replication_.start();
  for (ClientShard& client : shards_) client.shard->start();

  if (before) resume(*before);
  apply_sync();
  apply_peers();
  set_tls();
  const Result<void> started =
      options_.config_file ? start_from_config(before) : start_from_options(before);
  if (!started) return started;
  // After a crash a database may be gone that was there when the settings were read first.
  if (const Result<void> tls = remotes_->check_tls(); !tls && !before) return tls;
  apply_lease();
  remotes_->set_active(!backup_ && !lease_expired_);
  remotes_->refresh();
  if (backup_) follow(Task());
  housekeeping_->set(net::IoShard::now_ms() + kHousekeepingMs);
  save_state();  // names of files among it: who is started after a crash may be in another folder
  give_back_memory();  // of the replay
  return {};
}

Result<void> Server::start_from_options(const std::optional<HandoverState>& before) {
  active_server_ = before ? before->active_server : options_.sync.from.value_or("");
  backup_ = before ? before->backup : options_.sync.from.has_value() && !options_.sync.active;
  if (const Result<BackupSource> source = backup_source(); backup_ && !source)
    return source.error();

  Result<void> opened = open_databases(before ? before->databases : options_.databases);
  if (!opened) return opened;
  // Before anybody can connect: a backup is never writable.
  if (backup_) set_backup(true);
  return before ? configure_remotes(before->remotes, before->active_remotes)
                : configure_remotes(options_.remotes, options_.active_remotes);
}

Result<void> Server::start_from_config(const std::optional<HandoverState>& before) {
  const Result<ConfigFile> config = ConfigFile::load(*options_.config_file);
  if (!config || !apply_config(*config)) return user_error("server configuration failed");
  // A promotion by command outlives a crash.
  if (before && !before->backup) {
    for (auto& [name, role] : roles_) role.backup = false;
  }
  set_backups();
  return configure_remotes({}, options_.active_remotes);
}

void Server::set_tls() {
  const TlsOptions& tls = options_.tls;
  remotes_->set_tls({tls.private_key.value_or(""), tls.certificate.value_or(""),
                     tls.ca_cert.value_or(""), tls.bootstrap_ca_cert, tls.peer_ca_cert.value_or(""),
                     tls.protocols.value_or(""), tls.ciphers.value_or(""),
                     tls.ciphersuites.value_or("")});
}

Result<std::unique_ptr<StoredDatabase>> Server::open_database(const std::string& file) {
  if (file.starts_with("relay:"))
    return Error{"ovsdb error", file + ": relays are not supported", std::nullopt};
  StoredDatabase::Options options;
  options.history_bytes = options_.history_bytes;
  options.column_diff = options_.file_column_diff;
  auto stored = StoredDatabase::open(files_, file, options, clock_);
  if (!stored) return stored;
  if (const std::string& name = stored.value()->schema()->name(); name.starts_with('_'))
    return Error{"ovsdb error", name + ": names beginning with \"_\" are reserved", std::nullopt};
  stored.value()->log()->warn_of_tail();
  return stored;
}

bool Server::serves_file(const std::string& file) const {
  return std::any_of(files_of_.begin(), files_of_.end(),
                     [&](const auto& served) { return served.second == file; });
}

Result<void> Server::open_databases(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (!file.empty() && serves_file(std::filesystem::absolute(file).string()))
      continue;  // named twice
    Result<std::unique_ptr<StoredDatabase>> stored = open_database(file);
    Result<void> added;
    if (!stored) {
      added = stored.error();
    } else {
      files_of_[stored.value()->schema()->name()] = stored.value()->path();
      added = on_writer([&] { return databases_.add(std::move(stored.value())); });
    }
    if (!added) {
      server_log.warn("failed to open database '{}': {}", file, added.error().to_string());
      server_log.warn("failed to configure databases");
      return user_error("server configuration failed");
    }
  }
  return {};
}

Result<void> Server::configure_remotes(const std::vector<std::string>& remotes,
                                       const std::vector<std::string>& active_remotes) {
  const auto fail = [](const Error& error) {
    server_log.warn("failed to configure remotes: {}", error.to_string());
    return user_error("server configuration failed");
  };
  for (const std::string& remote : remotes) {
    if (const auto added = remotes_->add(remote, {}, RemoteConfig::Origin::kCommandLine); !added)
      return fail(added.error());
  }
  for (const std::string& remote : active_remotes) {
    if (const auto added = remotes_->add_active_only(remote); !added) return fail(added.error());
  }
  return {};
}

void Server::shut_down(std::function<void()> done) {
  stop_following([this, done = std::move(done)]() mutable {
    home_.post([this, done = std::move(done)]() mutable {
      manager_->shut_down("server exiting", std::move(done));
    });
  });
}

void Server::save_state() {
  HandoverState state;
  for (const auto& [name, file] : files_of_) state.databases.push_back(file);
  state.remotes = remotes_->list();
  state.active_remotes = remotes_->list_active_only();
  state.active_server = active_server_;
  state.backup = backup_;
  state.least_epoch = static_cast<std::uint64_t>(least_epoch_);
  state.exclude_tables = exclude_tables_;
  state.lease_length_ms = lease_.length_ms();
  state.lease_deadline_ms = lease_.deadline_ms().value_or(0);
  state.sync_replicas = sync_.replicas;
  state.sync_timeout_ms = sync_.timeout_ms;
  state.sync_block = sync_.block;
  state.sync_peers = peers_.to_string();
  save_(state);
}

void Server::resume(const HandoverState& before) {
  exclude_tables_ = before.exclude_tables;
  least_epoch_ = Epoch{before.least_epoch};
  if (before.lease_deadline_ms != 0)
    lease_.resume(before.lease_length_ms, before.lease_deadline_ms);
  sync_ = {before.sync_replicas, before.sync_timeout_ms, before.sync_block};
  if (const Result<PeerList> peers = PeerList::parse(before.sync_peers)) peers_ = *peers;
}

// --- databases ---

std::vector<std::string> Server::list_databases() {
  return on_writer([&] {
    std::vector<std::string> names;
    for (const auto& [name, database] : databases_.databases()) names.push_back(name);
    return names;
  });
}

void Server::add_database(const std::string& file, control::Done done) {
  Result<std::unique_ptr<StoredDatabase>> stored = open_database(file);
  if (!stored) return done(stored.error());
  const std::string name = stored.value()->schema()->name();
  const std::string path = stored.value()->path();
  const Result<void> added = on_writer([&] {
    Result<void> result = databases_.add(std::move(stored.value()));
    if (result && backup_) databases_.set_backup(*databases_.find(name), true);
    return result;
  });
  if (added) {
    files_of_[name] = path;
    save_state();
  }
  done(added);
}

void Server::remove_database(const std::string& name, control::Done done) {
  const Result<void> removed = on_writer([&] { return databases_.remove(name); });
  if (removed) {
    files_of_.erase(name);
    save_state();
  }
  done(removed);
}

void Server::compact(const std::string& name, control::Done done) {
  // Told on the control thread, which may then call again; the writer may not wait for itself.
  control::Done told = [this, done = std::move(done)](const Result<void>& result) {
    home_.post([done, result] { done(result); });
  };
  databases_.call(
      [&] {
        ServedDatabase* database = databases_.find(name);
        if (database == nullptr) return told(user_error("no database by that name"));
        databases_.compact(*database, told);
      },
      home_);
}

void Server::compact_what_is_due() {
  databases_.submit(
      [this] {
        for (const auto& [name, database] : databases_.databases()) {
          if (database->stored->log() == nullptr || database->compacting) continue;
          const std::chrono::milliseconds since(clock_.monotonic_ms() - database->compacted_ms);
          if (!storage::compaction_due(database->stored->log()->growth(),
                                       std::chrono::duration_cast<std::chrono::seconds>(since))) {
            continue;
          }
          server_log.info("{}: compacting database", name);
          databases_.compact(*database, [name = name](const Result<void>& compacted) {
            if (!compacted)
              server_log.warn("{}: compaction failed: {}", name, compacted.error().to_string());
          });
        }
      },
      home_);
}

Result<std::string> Server::storage_status(const std::string& name) {
  return on_writer([&] {
    const ServedDatabase* database = databases_.find(name);
    std::string status = "ok";
    if (database == nullptr) return Result<std::string>(user_error("Failed to find the database."));
    if (const auto& log = database->stored->log(); log != nullptr && log->stopped()) {
      status = log->stopped()->to_string();
    }
    return Result<std::string>(boost::system::in_place_value, std::move(status));
  });
}

// --- clients ---

std::vector<std::string> Server::list_remotes() { return remotes_->list(); }

void Server::add_remote(const std::string& remote, control::Done done) {
  const Result<void> added = remotes_->add(remote, {}, RemoteConfig::Origin::kRunTime);
  if (added) {
    remotes_->refresh();
    save_state();
  }
  done(added);
}

void Server::remove_remote(const std::string& remote, control::Done done) {
  if (!remotes_->remove(remote)) return done(user_error("no such remote"));
  remotes_->refresh();
  save_state();
  done({});
}

void Server::reconnect_clients() { manager_->disconnect_all("user request"); }

void Server::disable_monitor_cond() {
  for (ClientShard& client : shards_) {
    client.shard->post([hub = client.hub.get()] { hub->disable_conditional_monitors(); });
  }
}

// --- figures ---

std::map<std::string, std::uint64_t> Server::memory_usage() {
  std::map<std::string, std::uint64_t> usage = on_writer([&] {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [name, database] : databases_.databases()) {
      const Database::Usage rows = database->stored->database().usage();
      counts["cells"] += database->stored->database().cell_count();
      counts["atoms"] += rows.atoms;
      counts["n-weak-refs"] += rows.weak_refs;
      counts["txn-history"] += database->stored->history().size();
    }
    return counts;
  });
  for (ClientShard& client : shards_) {
    std::promise<ClientHub::Usage> promise;
    client.shard->post([&] { promise.set_value(client.hub->usage()); });
    const ClientHub::Usage clients = promise.get_future().get();
    if (clients.sessions > 0) usage["sessions"] += clients.sessions;
    usage["monitors"] += clients.monitors;
  }
  return usage;
}

void Server::set_memory_trim_on_compaction(bool enabled) {
  databases_.call([&] { databases_.set_trim_on_compaction(enabled); }, home_);
}

control::TableLogging Server::table_logging() {
  return on_writer([&] {
    control::TableLogging tables;
    for (const auto& [name, database] : databases_.databases()) {
      for (const TableSchema& table : database->info->schema->tables()) {
        tables[name][table.name] = table_log_.is_on(name, table.name);
      }
    }
    return tables;
  });
}

void Server::set_table_logging(const std::string& database, const std::string& table,
                               bool enabled) {
  databases_.call([&] { table_log_.set(database, table, enabled); }, home_);
}

void Server::call_later(std::int64_t delay_ms, std::function<void()> task) {
  const std::uint64_t id = next_later_++;
  const auto expired = [this, id, task = std::move(task)] {
    task();
    // Not from within the timer itself.
    home_.post([this, id] { later_.erase(id); });
  };
  const auto timer = later_.emplace(id, std::make_unique<HomeTimer>(home_, expired)).first;
  timer->second->set(net::IoShard::now_ms() + delay_ms);
}

}  // namespace tandem
