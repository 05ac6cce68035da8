#include "server/session/session.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "server/logging/log.h"
#include "server/logging/rate_limit.h"

namespace tandem {
namespace {

log::Module jsonrpc_server("ovsdb_jsonrpc_server");

constexpr std::string_view kNoLocks =
    "lock and unlock methods not allowed, DB server is read only.";

/// A transaction on its way, with what the reply needs.
struct SessionTransactCall final : TransactCall {
  ClientHub* hub = nullptr;

  void done() override {
    Session* session_now = hub->find(session);
    if (session_now == nullptr) return;
    if (canceled) {
      session_now->send_plain_error(id, "canceled");
    } else if (refused) {
      session_now->send_error(id, *refused);
    } else {
      std::string text;
      result.append_json(text);
      session_now->send_updates();
      session_now->send_reply(id, text);
    }
  }
};

/// A "convert" on its way.
struct Conversion {
  ClientHub* hub = nullptr;
  SessionId session{};
  json::value id;
  std::string database;
  SchemaRef schema;
  bool read_only = false;

  Result<void> run(ServedDatabase* served) const {
    if (served == nullptr) {
      return Error{"unknown database", "convert request specifies unknown database " + database,
                   std::nullopt};
    }
    if (read_only || served->backup || served->built_in) {
      return Error{"not allowed", "conversion is not allowed for read-only database " + database,
                   std::nullopt};
    }
    return hub->server().convert(*served, schema);
  }
};

/// On the writer. A compaction that is under way comes first.
void convert(const std::shared_ptr<const Conversion>& conversion) {
  DatabaseServer& server = conversion->hub->server();
  ServedDatabase* served = server.find(conversion->database);
  if (served != nullptr && served->compacting) {
    served->after_compaction.emplace_back(
        [conversion](const Result<void>&) { convert(conversion); });
    return;
  }
  server.reply(conversion->hub->mailbox(), [conversion, converted = conversion->run(served)] {
    if (Session* session = conversion->hub->find(conversion->session))
      session->finish_conversion(conversion->id, converted);
  });
}

}  // namespace

Error params_error(const JsonRpcMessage& message, std::string details) {
  return Error{"syntax error", std::move(details), to_text(message.params)};
}

Session::Session(ClientHub& hub, ConnectionPort& port, SessionId id)
    : hub_(hub), port_(port), id_(id), feeds_(hub, port, id), monitors_(hub, *this, port) {}

Session::~Session() = default;

Session::Method Session::find_method(std::string_view name) {
  struct Entry {
    std::string_view name;
    Method method;
  };
  static constexpr std::array<Entry, 16> kMethods{{
      {"convert", &Session::convert},
      {"get_schema", &Session::get_schema},
      {"get_server_id", &Session::get_server_id},
      {"list_dbs", &Session::list_dbs},
      {"lock", &Session::lock},
      {"monitor", &Session::monitor},
      {"monitor_cancel", &Session::monitor_cancel},
      {"monitor_cond", &Session::monitor_cond},
      {"monitor_cond_change", &Session::monitor_cond_change},
      {"monitor_cond_since", &Session::monitor_cond_since},
      {"set_db_change_aware", &Session::set_db_change_aware},
      {"steal", &Session::steal},
      {"tandem_ack", &Session::tandem_ack},
      {"tandem_follow", &Session::tandem_follow},
      {"transact", &Session::transact},
      {"unlock", &Session::unlock},
  }};
  const auto* found = std::find_if(kMethods.begin(), kMethods.end(),
                                   [name](const Entry& e) { return e.name == name; });
  return found == kMethods.end() ? nullptr : found->method;
}

void Session::on_message(JsonRpcMessage message) {
  switch (message.kind) {
    case JsonRpcMessage::Kind::kRequest:
      if (const Method method = find_method(message.method)) {
        (this->*method)(message);
      } else {
        send_plain_error(message.id, "unknown method");
      }
      return;
    case JsonRpcMessage::Kind::kNotification:
      if (message.method == "cancel") cancel(message);
      if (message.method == "tandem_ack") tandem_ack(message);
      if (message.method == "tandem_depose" && !feeds_.empty()) hub_.depose();
      return;
    case JsonRpcMessage::Kind::kReply:
    case JsonRpcMessage::Kind::kError:
      return refuse_answer(message.kind);
  }
}

/// We ask clients nothing but echo, which the connection takes.
void Session::refuse_answer(JsonRpcMessage::Kind kind) {
  if (static log::RateLimit limit(60, 30); limit.admit(jsonrpc_server, log::Level::kWarn)) {
    jsonrpc_server.warn("{}: received unexpected {} message", port_.info().name,
                        kind == JsonRpcMessage::Kind::kReply ? "reply" : "error");
  }
  port_.close("");
}

void Session::on_writable() {
  hub_.monitors().on_writable(port_);
  feeds_.on_writable();
}

void Session::on_closed(const std::string& /*reason*/) {
  hub_.monitors().remove_session(port_);
  hub_.forget(id_);
  if (known_to_writer_) submit([server = &hub_.server(), id = id_] { server->close_session(id); });
}

void Session::on_databases_changed() {
  // A backup learns of what concerns it by its feeds.
  if (!change_aware_ && feeds_.empty()) close_unaware();
}

void Session::on_role_change() {
  // Locks are to be had from an active only: whoever holds one, or was refused one, asks anew.
  if (asked_for_lock_) return port_.close("change of role, and the client has to do with locks");
  on_databases_changed();
}

void Session::close_unaware() {
  // Who asked for the change itself is told first that it has come.
  if (conversions_ == 0) port_.close("database change, and the client is not aware of such");
  closes_after_conversions_ = conversions_ > 0;
}

// --- replies ---

void Session::send_updates() { hub_.monitors().on_writable(port_); }

void Session::send_reply(const json::value& id, std::string_view result_json) {
  port_.send(make_reply(id, result_json));
}

void Session::send_error(const json::value& id, const Error& error) {
  port_.send(make_error_reply(id, to_text(error.to_json())));
}

void Session::send_plain_error(const json::value& id, std::string_view error) {
  std::string text;
  append_json_string(text, error);
  port_.send(make_error_reply(id, text));
}

// --- the server and its databases ---

DatabaseInfoRef Session::database_of(const JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.empty() || !params.front().is_string()) {
    send_error(message.id,
               params_error(message, message.method + " request params must begin with <db-name>"));
    return nullptr;
  }
  const json::string& name = params.front().as_string();
  const auto found = hub_.directory().find(std::string_view(name));
  if (found == hub_.directory().end()) {
    send_error(message.id,
               Error{"unknown database",
                     message.method + " request specifies unknown database " + std::string(name),
                     to_text(message.params)});
    return nullptr;
  }
  return found->second;
}

void Session::list_dbs(JsonRpcMessage& message) {
  json::array names;
  for (const auto& [name, database] : hub_.directory()) names.emplace_back(name);
  send_reply(message.id, to_text(names));
}

void Session::get_schema(JsonRpcMessage& message) {
  if (const DatabaseInfoRef database = database_of(message))
    send_reply(message.id, *hub_.schema_text(database));
}

void Session::get_server_id(JsonRpcMessage& message) {
  send_reply(message.id, '"' + hub_.server().server_id().to_string() + '"');
}

void Session::set_db_change_aware(JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.size() != 1 || !params.front().is_bool()) {
    send_error(message.id,
               params_error(message, "set_db_change_aware: true or false parameter expected"));
    return;
  }
  change_aware_ = params.front().as_bool();
  send_reply(message.id, "{}");
}

void Session::convert(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  const json::array& params = message.params.as_array();
  if (params.size() != 2) {
    send_error(message.id, params_error(message, "array expected"));
    return;
  }
  Result<SchemaRef> schema = DatabaseSchema::from_json(params[1]);
  if (!schema) {
    send_error(message.id, schema.error());
    return;
  }
  if (schema.value()->name() != database->name) {
    send_error(message.id, Error{"invalid parameters",
                                 "new schema name (" + schema.value()->name() +
                                     ") does not match database name (" + database->name + ")",
                                 std::nullopt});
    return;
  }
  ++conversions_;
  submit([conversion = std::make_shared<const Conversion>(Conversion{
              &hub_, id_, message.id, database->name, schema.value(), port_.info().read_only})] {
    tandem::convert(conversion);
  });
}

void Session::finish_conversion(const json::value& id, const Result<void>& converted) {
  if (converted) {
    send_reply(id, "{}");
  } else {
    send_error(id, converted.error());
  }
  --conversions_;
  if (closes_after_conversions_) close_unaware();
}

// --- backups ---

void Session::tandem_follow(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  const json::array& params = message.params.as_array();
  Result<FollowRequest> request =
      params.size() == 2 ? FollowRequest::from_json(params[1])
                         : Result<FollowRequest>(params_error(message, "invalid parameters"));
  if (!request) {
    send_error(message.id, request.error());
    return;
  }
  known_to_writer_ = true;
  feeds_.follow(message.id, database, std::move(request.value()));
}

void Session::tandem_ack(JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  const Result<Position> position =
      params.size() == 2 && params[0].is_string()
          ? Position::from_json(params[1])
          : Result<Position>(params_error(message, "invalid parameters"));
  const bool asks = message.kind == JsonRpcMessage::Kind::kRequest;
  if (!position) {
    if (asks) send_error(message.id, position.error());
    return;
  }
  submit([hub = &hub_, session = id_, name = std::string(params[0].get_string()),
          position = position.value(), id = message.id, asks] {
    const Position newest = hub->server().acknowledge(name, session, position);
    if (!asks) return;
    hub->server().reply(hub->mailbox(), [hub, session, id, newest] {
      if (Session* self = hub->find(session)) self->send_reply(id, to_text(newest.to_json()));
    });
  });
}

// --- transactions ---

void Session::transact(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  known_to_writer_ = true;
  auto call = std::make_unique<SessionTransactCall>();
  call->hub = &hub_;
  call->session = id_;
  call->mailbox = &hub_.mailbox();
  call->database = database->name;
  call->id = std::move(message.id);
  call->params = std::move(message.params.as_array());
  call->transaction = Transaction::from_json(database->schema, call->params);
  call->read_only = port_.info().read_only;
  call->role = port_.info().role;
  call->client_id = port_.info().peer_id;
  submit([server = &hub_.server(), call = std::move(call)]() mutable {
    server->transact(std::move(call));
  });
}

void Session::cancel(const JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.size() != 1) return;
  submit([server = &hub_.server(), session = id_, id = params.front()] {
    server->cancel(session, id);
  });
}

// --- locks ---

const std::string* Session::lock_name(const JsonRpcMessage& message) {
  static thread_local std::string name;
  const json::array& params = message.params.as_array();
  if (params.size() != 1 || !params.front().is_string() || !is_id(params.front().as_string())) {
    send_error(message.id, params_error(message, message.method + " request params must be <id>"));
    return nullptr;
  }
  if (port_.info().read_only) {
    send_plain_error(message.id, kNoLocks);
    return nullptr;
  }
  name = std::string(params.front().as_string());
  return &name;
}

void Session::open_on_writer() {
  known_to_writer_ = true;
  submit([hub = &hub_, id = id_] {
    hub->server().open_session(id, hub->mailbox(), [hub, id](const std::string& lock, bool stolen) {
      Session* session = hub->find(id);
      if (session == nullptr) return;
      std::string params = "[";
      append_json_string(params, lock);
      session->port_.send(make_notification(stolen ? "stolen" : "locked", params + "]"));
    });
  });
}

/// On the writer.
void Session::refuse_lock(ClientHub& hub, SessionId session, const json::value& id) {
  hub.server().reply(hub.mailbox(), [hub = &hub, session, id] {
    if (Session* self = hub->find(session)) self->send_plain_error(id, kNoLocks);
  });
}

void Session::acquire_lock(JsonRpcMessage& message, LockTable::Mode mode) {
  const std::string* name = lock_name(message);
  if (name == nullptr) return;
  asked_for_lock_ = true;
  open_on_writer();
  submit([hub = &hub_, session = id_, lock = *name, mode, message = std::move(message)] {
    if (hub->server().is_backup()) return refuse_lock(*hub, session, message.id);
    const std::optional<bool> owned = hub->server().lock(session, lock, mode);
    hub->server().reply(hub->mailbox(), [hub, session, owned, message] {
      Session* session_now = hub->find(session);
      if (session_now == nullptr) return;
      if (!owned) {
        session_now->send_error(
            message.id,
            params_error(message, "must issue \"unlock\" before new \"" + message.method + "\""));
      } else {
        session_now->send_reply(message.id, *owned ? R"({"locked":true})" : R"({"locked":false})");
      }
    });
  });
}

void Session::lock(JsonRpcMessage& message) { acquire_lock(message, LockTable::Mode::kLock); }

void Session::steal(JsonRpcMessage& message) { acquire_lock(message, LockTable::Mode::kSteal); }

void Session::unlock(JsonRpcMessage& message) {
  const std::string* name = lock_name(message);
  if (name == nullptr) return;
  submit([hub = &hub_, session = id_, lock = *name, message = std::move(message)] {
    if (hub->server().is_backup()) return refuse_lock(*hub, session, message.id);
    const bool released = hub->server().unlock(session, lock);
    hub->server().reply(hub->mailbox(), [hub, session, released, message] {
      Session* session_now = hub->find(session);
      if (session_now == nullptr) return;
      if (released) {
        session_now->send_reply(message.id, "{}");
      } else {
        session_now->send_error(
            message.id, params_error(message, "unlock: \"unlock\" without \"lock\" or \"steal\""));
      }
    });
  });
}

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

void Session::start_monitor(const JsonRpcMessage& message, MonitorVersion version) {
  if (const DatabaseInfoRef database = database_of(message))
    monitors_.start(message, database, version);
}

void Session::monitor_cond_change(JsonRpcMessage& message) { monitors_.change(message); }

void Session::monitor_cancel(JsonRpcMessage& message) { monitors_.cancel(message); }

}  // namespace tandem
