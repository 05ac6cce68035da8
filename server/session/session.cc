#include "server/session/session.h"

#include <memory>
#include <utility>

#include "protocol/json/json_output.h"
#include "server/logging/log.h"
#include "server/logging/rate_limit.h"
#include "server/session/shared_answer.h"
#include "server/storage/log_file.h"

namespace tandem {
namespace {

log::Module jsonrpc_server("ovsdb_jsonrpc_server");

/// Messages that may wait behind another one before no more are read.
constexpr std::size_t kMostWaiting = 16;

}  // namespace

Error params_error(const JsonRpcMessage& message, std::string details) {
  return syntax_error(message.params, std::move(details));
}

Session::Session(ClientHub& hub, ConnectionPort& port, SessionId id)
    : hub_(hub),
      port_(port),
      id_(id),
      lane_(std::make_shared<Lane>(id_, hub.shard())),
      window_(hub.limits().requests),
      conversions_(hub, *this, port),
      feeds_(hub, *this, port, id),
      locks_(hub, *this, port),
      monitors_(hub, *this, port) {}

Session::~Session() = default;

void Session::on_message(JsonRpcMessage message) {
  ++requests_;
  if (is_busy() || !waiting_.empty()) {
    waiting_.push_back(std::move(message));
    set_reading();
  } else {
    handle(message);
  }
}

void Session::go_on() {
  while (!waiting_.empty() && !is_busy()) {
    JsonRpcMessage message = std::move(waiting_.front());
    waiting_.pop_front();
    handle(message);
  }
  set_reading();
}

void Session::handle(JsonRpcMessage& message) {
  switch (message.kind) {
    case JsonRpcMessage::Kind::kRequest:
    case JsonRpcMessage::Kind::kNotification:
      break;
    case JsonRpcMessage::Kind::kReply:
    case JsonRpcMessage::Kind::kError:
      return refuse_answer(message.kind);
  }
  in_turn([&] {
    if (const Method* method = find_method(message)) {
      (this->*(may(method->needs) ? method->run : method->refuse))(message);
    } else if (message.kind == JsonRpcMessage::Kind::kRequest) {
      send_plain_error(message.id, "unknown method");
    }
  });
}

/// We ask clients nothing but echo, which the connection takes.
void Session::refuse_answer(JsonRpcMessage::Kind kind) {
  if (static log::RateLimit limit(60, 30); limit.admit(jsonrpc_server, log::Level::kWarn)) {
    jsonrpc_server.warn("{}: received unexpected {} message", port_.info().name,
                        kind == JsonRpcMessage::Kind::kReply ? "reply" : "error");
  }
  close("");
}

void Session::close(const std::string& reason) {
  waiting_.clear();
  if (!input_ended_ && (!feeds_.empty() || !owes_answers())) return port_.close(reason);
  if (!std::exchange(input_ended_, true)) port_.end_input(reason);
  set_reading();
}

void Session::on_writable() {
  locks_.on_writable();
  monitors_.on_writable();
  feeds_.on_writable();
}

bool Session::on_end_of_input() {
  if (!feeds_.empty()) return false;  // a backup that has said its last acknowledges nothing more
  input_ended_ = true;
  set_reading();
  return true;
}

void Session::on_alive() { feeds_.on_alive(); }

void Session::on_closed(const std::string& /*reason*/) {
  hub_.monitors().remove_session(port_);
  hub_.forget(id_);
  // Not as a job of its lane, where it would wait behind jobs that nobody wants any more.
  if (known_to_writer_) {
    hub_.server().submit(
        [server = &hub_.server(), id = id_, lane = lane_] { server->close_session(id, *lane); },
        hub_.shard());
  }
}

void Session::on_databases_changed() {
  // A backup learns of what concerns it by its feeds.
  if (!change_aware_ && feeds_.empty())
    close("database change, and the client is not aware of such");
}

void Session::on_role_change() {
  // Locks are to be had from an active only: whoever holds one, or was refused one, asks anew.
  if (locks_.asked()) return close("change of role, and the client has to do with locks");
  // A client that has only asked for "_Server" is about to see who is active; only then does it say
  // that it is aware of changes.
  if (monitors_.are_of_server_only()) return;
  on_databases_changed();
}

void Session::on_peers_changed() {
  if (!feeds_.empty() && !may(Authority::kPeer)) feeds_.end();
}

// --- requests under way ---

void Session::begin_request(bool selects) {
  window_.begin(selects);
  if (window_.is_full()) hub_.limit_counts().add(Limit::kRequests, limits_met_);
  set_reading();
}

void Session::end_request(std::optional<std::size_t> rows) {
  window_.end(rows);
  set_reading();
}

void Session::set_reading() {
  const bool reads = window_.is_open() && !read_elsewhere_ && waiting_.size() < kMostWaiting;
  if (reads != std::exchange(reads_, reads)) port_.set_reading(reads);
  if (input_ended_ && !owes_answers()) port_.close_when_sent();
}

// --- replies ---

void Session::send_updates() { hub_.monitors().on_writable(port_); }

void Session::send_reply(const JsonId& id, std::string_view result_json) {
  answer(make_reply(id, result_json));
}

void Session::send_error(const JsonId& id, const Error& error) {
  answer(make_error_reply(id, to_text(error)));
}

void Session::send_answer(TransactAnswer answer, bool later) {
  if (!later) {
    port_.send(answer.next());
    if (answer.ended()) return;
  }
  port_.send(std::make_unique<TransactAnswer>(std::move(answer)));
}

void Session::send_limit_error(const JsonId& id, Limit limit) {
  hub_.limit_counts().add(limit, limits_met_);
  const Error error = limit_error(hub_.limits(), limit);
  if (static log::RateLimit rate(12, 12); rate.admit(jsonrpc_server, log::Level::kInfo))
    jsonrpc_server.info("{}: {}", port_.info().name, error.details);
  send_error(id, error);
}

bool Session::may_keep(const JsonId& request_id, std::size_t bytes) {
  if (monitors_.id_bytes() + locks_.name_bytes() + bytes <= hub_.limits().kept_bytes) return true;
  send_limit_error(request_id, Limit::kKept);
  return false;
}

void Session::send_plain_error(const JsonId& id, std::string_view error) {
  std::string text;
  append_json_string(text, error);
  answer(make_error_reply(id, text));
}

// --- the server and its databases ---

DatabaseInfoRef Session::database_of(const JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.empty() || !params.front().is_string()) {
    send_error(message.id, params_error(message, std::string(message.method) +
                                                     " request params must begin with <db-name>"));
    return nullptr;
  }
  const std::string_view name = params.front().get_string();
  const auto found = hub_.directory().find(name);
  if (found == hub_.directory().end()) {
    send_error(message.id, Error{"unknown database",
                                 std::string(message.method) +
                                     " request specifies unknown database " + std::string(name),
                                 json_excerpt(message.params)});
    return nullptr;
  }
  if (!found->second->available) {
    send_error(message.id, not_available(message.method, name));
    return nullptr;
  }
  return found->second;
}

void Session::list_dbs(JsonRpcMessage& message) {
  std::string names = "[";
  for (const auto& [name, database] : hub_.directory()) {
    if (names.size() > 1) names += ',';
    append_json_string(names, name);
  }
  send_reply(message.id, names += ']');
}

void Session::get_schema(JsonRpcMessage& message) {
  if (const DatabaseInfoRef database = database_of(message))
    answer<std::unique_ptr<TextSource>>(
        std::make_unique<SharedAnswer>(message.id, hub_.schema_text(database)));
}

/// Only backups ask, also the stock server's: before they replace all they have. What is left of a
/// damaged file is nothing to replace a copy with.
void Session::get_server_id(JsonRpcMessage& message) {
  for (const auto& [name, database] : hub_.directory()) {
    const auto log = database->log.lock();
    if (log == nullptr) continue;
    if (const auto damage = log->health().damage) {
      return send_error(message.id,
                        Error{"not allowed", name + ": " + damage->to_string(), std::nullopt});
    }
  }
  send_reply(message.id, '"' + hub_.server().server_id().to_string() + '"');
}

void Session::set_db_change_aware(JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.size() != 1 || !params.front().is_bool()) {
    send_error(message.id,
               params_error(message, "set_db_change_aware: true or false parameter expected"));
    return;
  }
  change_aware_ = params.front().get_bool();
  send_reply(message.id, "{}");
}

// --- backups ---

/// A connection with a role or a read-only one, or one that is not on the list of peers. It may
/// have been a peer before.
void Session::refuse_peer(JsonRpcMessage& message) {
  if (!feeds_.empty()) feeds_.end();
  if (message.kind == JsonRpcMessage::Kind::kNotification) {
    if (static log::RateLimit limit(60, 30); limit.admit(jsonrpc_server, log::Level::kInfo))
      jsonrpc_server.info("{}: {} ignored, the client is not a peer", port_.info().name,
                          message.method);
    return;
  }
  if (const DatabaseInfoRef database = database_of(message)) feeds_.refuse(message, *database);
}

void Session::tandem_follow(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  const JsonView params = message.params;
  Result<FollowRequest> request =
      params.size() == 2 ? FollowRequest::from_json(params[1])
                         : Result<FollowRequest>(params_error(message, "invalid parameters"));
  if (!request) {
    send_error(message.id, request.error());
    return;
  }
  feeds_.follow(message.id, database, std::move(request.value()));
}

void Session::tandem_ack(JsonRpcMessage& message) {
  const JsonView params = message.params;
  const Result<Position> position =
      params.size() == 2 && params[0].is_string()
          ? Position::from_json(params[1])
          : Result<Position>(params_error(message, "invalid parameters"));
  if (position) {
    feeds_.acknowledge(message, std::string(params[0].get_string()), position.value());
  } else if (message.kind == JsonRpcMessage::Kind::kRequest) {
    send_error(message.id, position.error());
  }
}

void Session::tandem_depose(JsonRpcMessage& /*message*/) { feeds_.depose(); }

// --- locks ---

void Session::lock(JsonRpcMessage& message) { locks_.acquire(message, LockTable::Mode::kLock); }

void Session::steal(JsonRpcMessage& message) { locks_.acquire(message, LockTable::Mode::kSteal); }

void Session::unlock(JsonRpcMessage& message) { locks_.release(message); }

// --- monitors ---

void Session::monitor(JsonRpcMessage& message) { start_monitor(message, MonitorVersion::kUpdate); }

void Session::monitor_cond(JsonRpcMessage& message) {
  if (!hub_.conditional_monitors()) return send_plain_error(message.id, "unknown method");
  start_monitor(message, MonitorVersion::kUpdate2);
}

void Session::monitor_cond_since(JsonRpcMessage& message) {
  if (!hub_.conditional_monitors()) return send_plain_error(message.id, "unknown method");
  start_monitor(message, MonitorVersion::kUpdate3);
}

void Session::start_monitor(JsonRpcMessage& message, MonitorVersion version) {
  if (const DatabaseInfoRef database = database_of(message))
    monitors_.start(std::move(message), database, version);
}

void Session::monitor_cond_change(JsonRpcMessage& message) { monitors_.change(std::move(message)); }

void Session::monitor_cancel(JsonRpcMessage& message) { monitors_.cancel(message); }

}  // namespace tandem
