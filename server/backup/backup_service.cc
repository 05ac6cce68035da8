#include "server/backup/backup_service.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "replication/active_link.h"
#include "server/backup/database_replica.h"
#include "server/forwarding/backup_forwards.h"
#include "server/forwarding/remote_forwarder.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module replication_log("replication");

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

/// One source being followed: the link, its replicas, the connection. On the shard.
class BackupService::Following final : public ActiveLinkPort,
                                       public ForwardsPort,
                                       public net::WheelTimer,
                                       public std::enable_shared_from_this<Following> {
 public:
  Following(BackupService& service, BackupSource source, Task settled)
      : service_(service),
        source_(std::move(source)),
        settled_(std::move(settled)),
        link_({service.server_.server_id(), host_name(), source_.node, source_.least_epoch}, *this),
        client_(service.shard_, &service.tls_, client_options(),
                [this](const net::ClientStatus& s) { on_status(s); }) {}

  void start() {
    started_ms_ = monotonic_ms();
    service_.shard_.set_timer(*this, started_ms_ + kTickMs);
    client_.start();
  }

  /// Follows just these databases.
  void set_databases(const Directory& directory) {
    std::erase_if(replicas_, [&](const auto& entry) {
      const auto& [name, replica] = entry;
      const auto now = directory.find(name);
      if (now != directory.end() && now->second == replica.database) return false;
      forwards_.remove(name);
      link_.remove(name);
      return true;
    });
    for (const auto& [name, database] : directory) {
      if (name == "_Server" || database->relay || replicas_.contains(name)) continue;
      if (source_.databases && !source_.databases->contains(name)) continue;
      auto replica =
          std::make_unique<DatabaseReplica>(service_.server_, service_.shard_, database,
                                            source_.excluded[name], source_.adopt_schemas);
      link_.add(name, *replica);
      replicas_.emplace(name, Entry{database, std::move(replica)});
      if (source_.forward_writes) begin_forwarding(database);
    }
    changed();
  }

  void depose_active() { link_.depose(); }

  void stop(const std::string& reason, Task done) {
    cancel_timer();
    settle();
    forwards_.end(reason);
    client_.stop(reason, std::move(done));
  }

  // ActiveLinkPort and ForwardsPort
  void send(std::string text) override {
    if (connection_ != nullptr) connection_->send(std::move(text));
  }
  bool has_room() const override { return net::has_room(connection_); }
  void restart(const std::string& reason) override {
    if (connection_ != nullptr) connection_->close(reason);
  }
  std::int64_t monotonic_ms() const override { return net::IoShard::now_ms(); }
  void changed() override {
    const std::map<std::string, FollowerStatus> status = link_.status();
    for (const auto& [name, follower] : status) {
      if (follower.state != FollowerStatus::State::kConnecting &&
          follower.state != FollowerStatus::State::kNegotiating)
        settle();
    }
    forwards_.on_status(status);
    service_.note_active(std::any_of(status.begin(), status.end(), [](const auto& follower) {
      return follower.second.knows_active();
    }));
    MutexLock lock(service_.mutex_);
    service_.status_ = status;
  }
  void handed_on(const std::string& database, const Height& height) override {
    forwards_.on_handed_on(database, height);
  }
  void answer(std::unique_ptr<TransactCall> call) override {
    service_.server_.submit([&server = service_.server_,
                             call = std::move(call)]() mutable { server.answer(std::move(call)); },
                            service_.shard_);
  }
  void take_back(std::unique_ptr<TransactCall> call) override {
    RemoteForwarder::take_back(service_.server_, service_.shard_, std::move(call));
  }
  void log_info(const std::string& text) override { replication_log.info("{}", text); }
  void log_warn(const std::string& text) override { replication_log.warn("{}", text); }
  void log_finding(const std::string& database, const std::string& finding) override {
    if (std::exchange(service_.findings_[database], finding) == finding) return;
    replication_log.info("Schema version mismatch, checking if {} can still be replicated or not.",
                         database);
    replication_log.info("{}", finding);
  }

 private:
  struct Entry {
    DatabaseInfoRef database;
    std::unique_ptr<DatabaseReplica> replica;
  };

  /// The writer sends what may write this way.
  void begin_forwarding(const DatabaseInfoRef& database) {
    service_.server_.submit(
        [&service = service_, database,
         forwarder = std::make_shared<RemoteForwarder>(service_.server_, service_.shard_,
                                                       forwards_.add(database->name))]() mutable {
          ServedDatabase* const served = service.server_.find(database->name);
          if (served != nullptr && served->info == database)
            service.server_.set_forwarder(*served, std::move(forwarder));
        },
        service_.shard_);
  }

  /// The connection's handler: passes everything on.
  class Handler final : public ConnectionHandler {
   public:
    Handler(Following& following, ConnectionPort& port) : following_(following) {
      following_.connection_ = &port;
      following_.link_.on_connected();
    }
    void on_message(JsonRpcMessage message) override {
      if (!following_.forwards_.on_message(message)) following_.link_.on_message(message);
    }
    void on_writable() override { following_.forwards_.on_writable(); }
    void on_closed(const std::string& reason) override {
      following_.connection_ = nullptr;
      following_.forwards_.on_disconnected(reason);
      following_.link_.on_disconnected(reason);
    }

   private:
    Following& following_;
  };

  net::ClientOptions client_options() {
    net::ClientOptions options = net::options_to_copy_from(source_.targets);
    options.name = source_.targets.front().text;
    options.probe_ms = source_.probe_ms;
    options.backoff = {100, 250, 0};
    options.make_handler = [this](ConnectionPort& port) {
      return std::make_unique<Handler>(*this, port);
    };
    return options;
  }

  void on_status(const net::ClientStatus& status) {
    if (!status.last_error.empty()) settle();
    MutexLock lock(service_.mutex_);
    service_.connection_error_ = status.last_error;
  }

  void on_timer(std::int64_t now_ms) override {
    if (now_ms - started_ms_ >= kSettleMs) settle();
    link_.tick();
    forwards_.tick(now_ms);
    changed();
    service_.shard_.set_timer(*this, now_ms + kTickMs);
  }

  void settle() {
    if (settled_) std::exchange(settled_, Task())();
  }

  static constexpr std::int64_t kTickMs = 250;
  static constexpr std::int64_t kSettleMs = 500;

  BackupService& service_;
  BackupSource source_;
  Task settled_;
  std::int64_t started_ms_ = 0;
  ActiveLink link_;
  BackupForwards forwards_{source_.most_message_bytes, *this};
  std::map<std::string, Entry> replicas_;
  ConnectionPort* connection_ = nullptr;
  net::ClientConnection client_;  // last: its connection's handler uses all the above
};

BackupService::BackupService(DatabaseServer& server, net::IoShard& shard, net::TlsContext& tls)
    : server_(server), shard_(shard), tls_(tls) {
  server_.add_observer(*this);
}

BackupService::~BackupService() { server_.remove_observer(*this); }

void BackupService::follow(BackupSource source, Task settled) {
  shard_.post([this, source = std::move(source), settled = std::move(settled)]() mutable {
    end_following(
        "following another server", [this, change = ++changes_, source = std::move(source),
                                     settled = std::move(settled)]() mutable {
          if (change != changes_) {  // something else is wanted by now
            if (settled) settled();
            return;
          }
          following_ = std::make_shared<Following>(*this, std::move(source), std::move(settled));
          server_.submit(
              [this, following = following_] {
                shard_.post([this, following, directory = server_.directory()] {
                  if (following != following_) return;
                  following->set_databases(*directory);
                  following->start();
                });
              },
              shard_);
        });
  });
}

void BackupService::depose_active() {
  shard_.post([this] {
    if (following_) following_->depose_active();
  });
}

void BackupService::stop(const std::string& reason, Task done) {
  shard_.post([this, reason, done = std::move(done)]() mutable {
    ++changes_;
    end_following(reason, [this, done = std::move(done)]() mutable {
      // Jobs for what has arrived are ahead of this one.
      server_.submit(std::move(done), shard_);
    });
  });
}

void BackupService::end_following(const std::string& reason, Task done) {
  if (!following_ && after_end_.empty()) {
    done();
    return;
  }
  after_end_.push_back(std::move(done));
  if (!following_) return;  // it is ending already
  const std::shared_ptr<Following> old = std::exchange(following_, nullptr);
  note_active(false);
  old->stop(reason, [this, old]() mutable {
    {
      MutexLock lock(mutex_);
      status_.clear();
      connection_error_.clear();
    }
    for (Task& waiting : std::exchange(after_end_, {})) waiting();
    shard_.post([old] {});  // `old` must not go inside a call from its own connection
  });
}

void BackupService::note_active(bool known) {
  if (std::exchange(knows_active_, known) != known) server_.count_active(known ? 1 : -1);
}

void BackupService::on_databases_changed() {
  shard_.post([this, directory = server_.directory()] {
    if (following_) following_->set_databases(*directory);
  });
}

std::map<std::string, FollowerStatus> BackupService::status() const {
  MutexLock lock(mutex_);
  return status_;
}

std::string BackupService::connection_error() const {
  MutexLock lock(mutex_);
  return connection_error_;
}

}  // namespace tandem
