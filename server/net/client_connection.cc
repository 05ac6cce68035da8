#include "server/net/client_connection.h"

#include <utility>

#include "server/logging/log.h"
#include "server/net/socket_address.h"

namespace tandem::net {

namespace {
log::Module reconnect_log("reconnect");
}

ClientOptions options_to_copy_from(std::vector<Target> targets) {
  ClientOptions options;
  options.targets = std::move(targets);
  // The active's address moves between hosts without any event, and requests to one that nobody
  // has are lost without an answer: many of them find it soonest. Where there are several
  // addresses the next one has its turn earlier.
  options.connect_timeout_ms = options.targets.size() == 1 ? 2000 : 500;
  options.resend_ms = 10;
  options.limits.max_message_bytes = std::size_t{1} << 40;  // a whole database is one message
  // That server reads nothing while its answers are not taken: one end has to read on.
  options.limits.reads_on = true;
  return options;
}

bool has_room(const ConnectionPort* connection) {
  // A message more than this is over the high mark, below which the connection tells of room again.
  return connection != nullptr && connection->queued_bytes() <= ConnectionLimits().high_mark;
}

using State = ClientStatus::State;

ClientConnection::ClientConnection(IoShard& shard, TlsContext* tls, ClientOptions options,
                                   OnStatus on_status)
    : shard_(shard),
      tls_(tls),
      options_(std::move(options)),
      on_status_(std::move(on_status)),
      backoff_(options_.backoff, options_.random) {}

ClientConnection::~ClientConnection() = default;

void ClientConnection::start() { schedule(); }

void ClientConnection::schedule() {
  const bool new_round = turn_ % options_.targets.size() == 0;
  const std::int64_t wait_ms = new_round ? backoff_.next_wait_ms() : 0;
  if (wait_ms == 0) {
    set_state(State::kBackoff);
    shard_.defer(*this);  // not now: attempts may fail at once, and would recurse
    return;
  }
  if (backoff_.at_maximum() && !quiet_) {
    reconnect_log.info(
        "{}: continuing to reconnect in the background but suppressing further logging",
        target().text);
    quiet_ = true;
  } else if (!quiet_ && wait_ms >= 2000) {
    reconnect_log.info("{}: waiting {:g} seconds before reconnect", target().text,
                       static_cast<double>(wait_ms) / 1000.0);
  }
  set_state(State::kBackoff);
  shard_.set_timer(*this, IoShard::now_ms() + wait_ms);
}

void ClientConnection::on_timer(std::int64_t) { attempt(); }

void ClientConnection::run_deferred() { attempt(); }

void ClientConnection::attempt() {
  const Target& next = target();
  if (!quiet_) reconnect_log.info("{}: connecting...", next.text);
  status_.target = next.text;
  set_state(State::kConnecting);
  connector_ = std::make_unique<Connector>(shard_, next, options_.dscp, options_.resend_ms,
                                           [this](UniqueFd fd, const std::string& error) {
                                             if (fd) {
                                               connected(std::move(fd));
                                             } else {
                                               attempt_failed(error);
                                             }
                                           });
  connector_->start(options_.connect_timeout_ms);
}

void ClientConnection::attempt_failed(const std::string& error) {
  if (!quiet_) reconnect_log.info("{}: connection attempt failed ({})", target().text, error);
  status_.last_error = error;
  ++turn_;
  schedule();
}

void ClientConnection::connected(UniqueFd fd) {
  if (target().is_tls() && tls_ == nullptr) return attempt_failed("no TLS here");
  ConnectionOptions options;
  options.info.name = target().text;
  options.info.remote = options_.name;
  options.info.role = options_.role;
  options.info.read_only = options_.read_only;
  options.active = true;
  options.probe_ms = options_.probe_ms;
  options.keepalive_ms = options_.keepalive_ms;
  options.limits = options_.limits;
  options.make_handler = options_.make_handler;
  options.on_opened = [this] {
    status_.connected_ms = IoShard::now_ms();
    set_state(State::kActive);
  };
  options.on_ended = [this](const ConnectionEnding& ending) { ended(ending); };
  connection_ = std::make_unique<Connection>(shard_, std::move(options));
  connection_->start(std::move(fd), target().is_tls() ? tls_ : nullptr);
}

void ClientConnection::ended(const ConnectionEnding& ending) {
  connection_.reset();
  if (ending.opened) {
    status_.disconnected_ms = IoShard::now_ms();
    backoff_.connection_ended(ending.lived_ms);
    if (backoff_.is_reset()) quiet_ = false;
  }
  status_.last_error = ending.reason;
  if (stopping_) {
    set_state(State::kVoid);
    shard_.post(std::move(stopped_));
    return;
  }
  ++turn_;
  schedule();
}

void ClientConnection::reconnect(const std::string& reason) {
  backoff_.reset();
  turn_ = 0;
  if (connection_ != nullptr) {
    connection_->close(reason);
  } else if (!stopping_ && status_.state != State::kVoid) {
    cancel_timer();
    connector_.reset();
    schedule();
  }
}

void ClientConnection::stop(const std::string& reason, Task done) {
  stopping_ = true;
  stopped_ = std::move(done);
  cancel_timer();
  cancel_deferred();
  connector_.reset();
  if (connection_ != nullptr) {
    connection_->close(reason);
    return;
  }
  set_state(State::kVoid);
  shard_.post(std::move(stopped_));
}

void ClientConnection::reconfigure(const std::string& role, bool read_only, std::int64_t probe_ms,
                                   std::int64_t max_backoff_ms) {
  options_.role = role;
  options_.read_only = read_only;
  options_.probe_ms = probe_ms;
  backoff_.set_max_ms(max_backoff_ms);
  if (connection_ != nullptr) connection_->reconfigure(role, read_only, probe_ms);
}

void ClientConnection::set_state(State state) {
  status_.state = state;
  if (on_status_) on_status_(status_);
}

}  // namespace tandem::net
