#include "server/daemon/server.h"

#include <algorithm>
#include <filesystem>

#include "server/control/command_registry.h"
#include "server/daemon/once.h"
#include "server/logging/log.h"
#include "server/writer/free_memory.h"

namespace tandem {
namespace {

log::Module server_log("ovsdb_server");

constexpr std::int64_t kHousekeepingMs = 10'000;
/// How long the end waits for a writer or a client thread that is blocked.
constexpr std::int64_t kShutDownMs = 3000;

}  // namespace

Server::Server(const Options& options, const Directories& directories, net::IoShard& home,
               std::function<void(const HandoverState&)> save)
    : options_(options),
      directories_(directories),
      home_(home),
      save_(std::move(save)),
      relief_(home),
      background_(1000),
      replication_(1001),
      jobs_(1002),
      files_thread_(1003),
      reader_(1004),
      wake_(std::make_unique<HomeTimer>(home, [this] { submit([this] { databases_.tick(); }); })),
      housekeeping_(std::make_unique<HomeTimer>(home,
                                                [this] {
                                                  compact_due_databases();
                                                  look_for_divergences();
                                                  // Also while nobody connects: what is told
                                                  // of keys is to be true.
                                                  tls_.look();
                                                  housekeeping_->set(net::IoShard::now_ms() +
                                                                     kHousekeepingMs);
                                                })),
      errands_(home, [this](std::int64_t delay_ms,
                            std::function<void()> task) { call_later(delay_ms, std::move(task)); }),
      databases_(
          {clock_, files_, sync_thread_, background_,
           [this](std::int64_t at_ms) { home_.post([this, at_ms] { wake_->set(at_ms); }); }}),
      board_(databases_),
      backups_(databases_, replication_, tls_, home, to_writer_),
      relays_(databases_, replication_, tls_),
      upstreams_(options, directories.run),
      role_(*this, databases_, sync_thread_, errands_, to_writer_, home),
      sync_{options.sync.replicas, options.sync.timeout_ms,
            options.sync.fallback == SyncFallback::kBlock},
      peers_(options.sync.peers),
      advertised_role_(options.sync.advertised_role),
      started_ms_(net::IoShard::now_ms()) {
  for (net::IoShard* thread : {&background_, &replication_, &jobs_}) relief_.watch(*thread);
  relief_.watch([this] { return databases_.look(reader_); });
  databases_.set_wait_limits({options_.limits.waits, options_.limits.kept_bytes});
  clients_ = std::make_unique<ClientThreads>(
      options.threads, [this](net::IoShard& shard) { return make_hub(shard); }, relief_);
  manager_ = std::make_unique<net::RemoteManager>(
      home_, clients_->shards(), tls_,
      [this](ConnectionPort& port) { return clients_->hub_of(port.shard()).make_session(port); },
      net::connection_limits(options_.limits, limit_counts_));
  remotes_ = std::make_unique<RemoteConfig>(databases_, home_, jobs_, *manager_, tls_,
                                            directories_.run, options_.remote_defaults);
  databases_.add_observer(table_log_);
}

Server::~Server() {
  for (net::IoShard* thread : {&replication_, &reader_, &files_thread_, &jobs_, &background_})
    thread->stop();
  clients_->stop();
}

std::unique_ptr<ClientHub> Server::make_hub(net::IoShard& shard) {
  return std::make_unique<ClientHub>(
      databases_, shard, reader_, [this] { home_.post([this] { role_.depose(); }); },
      options_.limits, limit_counts_);
}

// --- start and end ---

Result<void> Server::start(const std::optional<HandoverState>& before) {
  for (net::IoShard* thread : {&background_, &jobs_, &files_thread_, &reader_, &replication_})
    thread->start();
  clients_->start();

  if (before) resume(*before);
  apply_sync();
  apply_peers();
  apply_advertised_role();
  set_tls();
  const Result<void> started =
      options_.config_file ? start_from_config(before) : start_from_options(before);
  if (!started) return started;
  // After a crash a database may be gone that was there when the settings were read first.
  if (const Result<void> tls = remotes_->check_tls(); !tls && !before) return tls;
  return {};
}

void Server::serve() {
  role_.serve();
  remotes_->refresh();
  tls_.start_thread();
  housekeeping_->set(net::IoShard::now_ms() + kHousekeepingMs);
  look_for_divergences();
  give_back_memory();  // of the replay
}

Result<void> Server::start_from_options(const std::optional<HandoverState>& before) {
  const bool backup =
      before ? before->backup : options_.sync.from.has_value() && !options_.sync.active;
  const Result<void> source = upstreams_.check();
  if (backup && !source) return source;

  Result<void> opened = open_databases(before ? before->databases : options_.databases);
  if (!opened) return opened;
  BackupSet backups = with_damaged(backup ? BackupSet::all() : BackupSet::none());
  // If there is a server to follow, all that this one has comes from there.
  if (!backups.empty() && !upstreams_.active_server().empty()) backups = BackupSet::all();
  if (!backups.empty() && !source) return source;
  // Before anybody can connect: a backup is never writable.
  role_.start(backups);
  return before ? configure_remotes(before->remotes, before->active_remotes)
                : configure_remotes(options_.remotes, options_.active_remotes);
}

Result<void> Server::start_from_config(const std::optional<HandoverState>& before) {
  const Result<ConfigFile> config = ConfigFile::load(*options_.config_file);
  BackupSet backups;
  if (!config || !apply_config(*config, backups))
    return control::command_error("server configuration failed");
  // A promotion by command outlives a crash.
  role_.start(with_damaged(before && !before->backup ? BackupSet::none() : backups));
  return configure_remotes({}, options_.active_remotes);
}

void Server::set_tls() {
  const TlsOptions& tls = options_.tls;
  remotes_->set_tls({tls.private_key.value_or(""), tls.certificate.value_or(""),
                     tls.ca_cert.value_or(""), tls.bootstrap_ca_cert, tls.peer_ca_cert.value_or(""),
                     tls.protocols.value_or(""), tls.ciphers.value_or(""),
                     tls.ciphersuites.value_or(""), tls.server_name});
}

Result<std::unique_ptr<StoredDatabase>> Server::open_database(const std::string& file) {
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

BackupSet Server::with_damaged(BackupSet backups) const {
  for (const auto& [name, entry] : board_.entries()) {
    const auto log = entry.log.lock();
    if (log != nullptr && log->health().damage) backups.add(name);
  }
  return backups;
}

bool Server::serves_file(const std::string& file) const {
  return std::any_of(files_of_.begin(), files_of_.end(),
                     [&](const auto& served) { return served.second == file; });
}

Result<void> Server::open_file(const std::string& file) {
  if (!file.empty() && serves_file(std::filesystem::absolute(file).string()))
    return {};  // named twice
  Result<std::unique_ptr<StoredDatabase>> stored = open_database(file);
  if (!stored) return stored.error();
  files_of_[stored.value()->schema()->name()] = stored.value()->path();
  return at_start([&] {
    Result<void> outcome = databases_.add(std::move(stored.value()));
    databases_.flush();  // home knows of it before it goes on
    return outcome;
  });
}

Result<void> Server::open_databases(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const Result<void> added = RelayName::is_one(file) ? open_relay(file) : open_file(file);
    if (!added) {
      server_log.warn("failed to open database '{}': {}", file, added.error().to_string());
      server_log.warn("failed to configure databases");
      return control::command_error("server configuration failed");
    }
  }
  return {};
}

Result<void> Server::configure_remotes(const std::vector<std::string>& remotes,
                                       const std::vector<std::string>& active_remotes) {
  const auto fail = [](const Error& error) {
    server_log.warn("failed to configure remotes: {}", error.to_string());
    return control::command_error("server configuration failed");
  };
  std::vector<std::string> all = remotes;
  all.insert(all.end(), active_remotes.begin(), active_remotes.end());
  remotes_->learn(at_start([&] { return answer_query(databases_, remotes_->query(all)); }));
  for (const std::string& remote : remotes) {
    if (const auto added = remotes_->add(remote, {}, RemoteConfig::Origin::kCommandLine); !added)
      return fail(added.error());
  }
  for (const std::string& remote : active_remotes) {
    if (const auto added = remotes_->add_active_only(remote); !added) return fail(added.error());
  }
  return {};
}

void Server::shut_down(std::function<void(bool orderly)> done) {
  const auto answer = once(std::move(done));
  const auto close_clients = [this, answer, closing = std::make_shared<bool>(false)] {
    if (!std::exchange(*closing, true))
      manager_->shut_down("server exiting", [answer] { answer(true); });
  };
  relays_.stop([this, close_clients] {
    home_.post([this, close_clients] {
      backups_.stop("server exiting", [this, close_clients] { home_.post(close_clients); });
    });
  });
  call_later(kShutDownMs, [this, close_clients, answer] {
    server_log.warn(
        "a thread is blocked, by a disk that hangs perhaps: exiting without waiting for it");
    close_clients();  // listeners close at once, whatever is blocked
    home_.post([answer] { answer(false); });
  });
}

void Server::save_state() {
  HandoverState state;
  for (const auto& [name, file] : files_of_) state.databases.push_back(file);
  state.remotes = remotes_->list();
  state.active_remotes = remotes_->list_active_only();
  upstreams_.save_to(state);
  role_.save_to(state);
  state.sync_replicas = sync_.replicas;
  state.sync_timeout_ms = sync_.timeout_ms;
  state.sync_block = sync_.block;
  state.sync_peers = peers_.to_string();
  state.advertised_role = to_string(advertised_role_);
  save_(state);
}

void Server::resume(const HandoverState& before) {
  upstreams_.resume(before);
  role_.resume(before);
  advertised_role_ = parse_advertised_role(before.advertised_role).value_or(advertised_role_);
  sync_ = {before.sync_replicas, before.sync_timeout_ms, before.sync_block};
  if (const Result<PeerList> peers = PeerList::parse(before.sync_peers)) peers_ = *peers;
}

// --- clients ---

std::vector<std::string> Server::list_remotes() { return remotes_->list(); }

void Server::add_remote(const std::string& remote, control::Done done) {
  if (const std::optional<Error> refused = file_decides()) return done(*refused);
  const auto add = [this, remote] {
    const Result<void> added = remotes_->add(remote, {}, RemoteConfig::Origin::kRunTime);
    if (added) {
      remotes_->refresh();
      save_state();
    }
    return added;
  };
  if (!RemoteConfig::is_in_database(remote)) return done(add());
  errands_.run(
      to_writer_,
      [this, query = remotes_->query({remote})] {
        return Result<DbFindings>(answer_query(databases_, query));
      },
      [this, add, done = std::move(done)](Result<DbFindings> found) {
        if (!found) return done(found.error());
        remotes_->learn(std::move(found.value()));
        done(add());
      });
}

void Server::remove_remote(const std::string& remote, control::Done done) {
  if (const std::optional<Error> refused = file_decides()) return done(*refused);
  if (!remotes_->remove(remote)) return done(control::command_error("no such remote"));
  remotes_->refresh();
  save_state();
  done({});
}

void Server::reconnect_clients() { manager_->disconnect_all("user request"); }

void Server::disable_monitor_cond() {
  clients_->for_each([](ClientHub& hub) { hub.disable_conditional_monitors(); });
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
