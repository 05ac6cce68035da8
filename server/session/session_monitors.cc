#include "server/session/session_monitors.h"

#include <algorithm>
#include <utility>

#include "server/session/session.h"

namespace tandem {
void SessionMonitors::in_turn(Turn turn) {
  turn_ = std::move(turn);
  ask_writer();
}

void SessionMonitors::ask_writer() {
  if (hub_.monitors().has_unfinished_answer(port_)) return;  // on_writable() asks
  with_writer_ = true;
  auto started = [hub = &hub_, session = session_.id()](Result<MonitorStart> start) {
    if (Session* self = hub->find_answered(session)) self->monitors().take_turn(std::move(start));
  };
  auto monitor = std::make_unique<NewMonitor>(NewMonitor{
      turn_->database->name, session_.id(), turn_->since, &hub_.mailbox(), std::move(started)});
  session_.submit_request(
      [server = &hub_.server(), monitor = std::move(monitor)]() mutable {
        server->start_monitor(std::move(monitor));
      },
      Session::Asks{.only_reads = true});
}

void SessionMonitors::take_turn(Result<MonitorStart> start) {
  with_writer_ = false;
  came_early_ = hub_.monitors().has_unfinished_answer(port_);
  if (came_early_) return;  // on_writable() asks again
  const Turn turn = std::move(*turn_);
  turn_.reset();
  if (start && start.value().database == turn.database) {
    turn.then(std::move(start.value()));
  } else {
    session_.send_plain_error(turn.id, "canceled");
  }
  // Updates that were held back for it follow.
  if (!port_.is_behind()) hub_.monitors().on_writable(port_);
  session_.go_on();
}

void SessionMonitors::on_writable() {
  if (turn_ && !with_writer_) ask_writer();
  // On a busy database there is always something more to send. So nothing is sent while the writer
  // has a request whose last answer came too early: the next one then finds nothing unfinished.
  if (!came_early_ || !with_writer_) hub_.monitors().on_writable(port_);
}

void SessionMonitors::start(JsonRpcMessage message, const DatabaseInfoRef& database,
                            MonitorVersion version) {
  const JsonView params = message.params;
  const std::size_t wanted = version == MonitorVersion::kUpdate3 ? 4 : 3;
  if (params.size() < wanted) {
    session_.send_error(message.id, params_error(message, "invalid parameters"));
    return;
  }
  if (params[2].is_object() && asked_.contains(JsonId(params[1]))) {
    session_.send_error(message.id, syntax_error(params[1], "duplicate monitor ID"));
    return;
  }
  const std::size_t bytes = message.bytes;
  session_.read(
      bytes,
      [database, version, message = std::move(message)]() mutable {
        Result<MonitorRequest> request =
            MonitorRequest::from_json(database->schema, version, message.params[2]);
        return std::pair(std::move(message), std::move(request));
      },
      [database](Session& session, std::pair<JsonRpcMessage, Result<MonitorRequest>>&& read) {
        auto& [message, request] = read;
        if (request) {
          session.monitors().start(message, database, std::move(request.value()));
        } else {
          session.send_error(message.id, request.error());
        }
      });
}

void SessionMonitors::start(const JsonRpcMessage& message, const DatabaseInfoRef& database,
                            MonitorRequest read) {
  const JsonView params = message.params;
  std::optional<Uuid> since;
  if (read.version == MonitorVersion::kUpdate3) {
    if (params[3].is_string()) since = Uuid::parse(params[3].get_string());
    if (!since) {
      session_.send_error(
          message.id,
          syntax_error(params[3], params[3].is_string() ? "last-txn-id must be UUID format."
                                                        : "last-txn-id must be string"));
      return;
    }
  }
  auto request = std::make_shared<const MonitorRequest>(std::move(read));
  if (asked_.size() >= hub_.limits().monitors)
    return session_.send_limit_error(message.id, Limit::kMonitors);
  if (clauses_ + request->clauses() > hub_.limits().clauses)
    return session_.send_limit_error(message.id, Limit::kClauses);
  const JsonId monitor_id(params[1]);
  if (!session_.may_keep(message.id, monitor_id.text().size())) return;
  const auto now = hub_.directory().find(database->name);
  if (now == hub_.directory().end() || now->second != database)  // while it was read
    return session_.send_plain_error(message.id, "canceled");
  id_bytes_ += monitor_id.text().size();
  const MonitorNumber number{++last_monitor_};
  clauses_ += request->clauses();
  asked_.insert_or_assign(monitor_id, Asked{number, database, request});
  in_turn({message.id, database, since,
           [this, number, id = message.id, monitor_id, request](MonitorStart start) {
             hub_.monitors().add(port_, number, monitor_id, id, request, std::move(start));
           }});
}

bool SessionMonitors::are_of_server_only() const {
  return !asked_.empty() && std::all_of(asked_.begin(), asked_.end(), [](const auto& asked) {
    return asked.second.database->name == "_Server";
  });
}

void SessionMonitors::change(JsonRpcMessage message) {
  const JsonView params = message.params;
  if (params.size() != 3) {
    session_.send_error(message.id, params_error(message, "invalid parameters"));
    return;
  }
  const auto found = asked_.find(JsonId(params[0]));
  if (found == asked_.end()) {
    session_.send_error(message.id, syntax_error(params[0], "unknown monitor session"));
    return;
  }
  const JsonId new_id(params[1]);
  if (new_id != found->first && asked_.contains(new_id)) {
    session_.send_error(message.id, syntax_error(params[1], "duplicate monitor ID"));
    return;
  }
  const std::size_t bytes = message.bytes;
  session_.read(
      bytes,
      [before = found->second.request, message = std::move(message)]() mutable {
        Result<MonitorRequest> request = before->with_conditions(message.params[2]);
        return std::pair(std::move(message), std::move(request));
      },
      [](Session& session, std::pair<JsonRpcMessage, Result<MonitorRequest>>&& read) {
        auto& [message, request] = read;
        if (request) {
          session.monitors().change(message, std::move(request.value()));
        } else {
          session.send_error(message.id, request.error());
        }
      });
}

void SessionMonitors::change(const JsonRpcMessage& message, MonitorRequest read) {
  const JsonView params = message.params;
  const auto found = asked_.find(JsonId(params[0]));
  if (found == asked_.end())  // its database has gone while it was read
    return session_.send_plain_error(message.id, "canceled");
  auto request = std::make_shared<const MonitorRequest>(std::move(read));
  const JsonId new_id(params[1]);
  const std::size_t others = clauses_ - found->second.request->clauses();
  if (others + request->clauses() > hub_.limits().clauses)
    return session_.send_limit_error(message.id, Limit::kClauses);
  const std::size_t bytes_before = found->first.text().size();
  if (new_id.text().size() > bytes_before &&
      !session_.may_keep(message.id, new_id.text().size() - bytes_before))
    return;
  id_bytes_ += new_id.text().size() - bytes_before;
  clauses_ = others + request->clauses();
  auto node = asked_.extract(found);
  node.key() = new_id;
  Asked& asked = node.mapped();
  asked.request = request;
  const DatabaseInfoRef database = asked.database;
  const MonitorNumber number = asked.number;
  asked_.insert(std::move(node));
  in_turn({message.id, database, std::nullopt,
           [this, number, id = message.id, new_id, request](const MonitorStart& now) {
             if (hub_.monitors().change(port_, number, new_id, request, now)) {
               session_.send_reply(id, "{}");
             } else {
               session_.send_plain_error(id, "canceled");
             }
           }});
}

void SessionMonitors::cancel(const JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.size() != 1) {
    session_.send_plain_error(message.id, "invalid parameters");
    return;
  }
  const auto found = asked_.find(JsonId(params.front()));
  if (found == asked_.end()) {
    session_.send_plain_error(message.id, "unknown monitor");
    return;
  }
  const Asked asked = std::move(found->second);
  id_bytes_ -= found->first.text().size();
  clauses_ -= asked.request->clauses();
  asked_.erase(found);
  in_turn({message.id, asked.database, std::nullopt,
           [this, number = asked.number, id = message.id](const MonitorStart&) {
             if (hub_.monitors().cancel(port_, number)) {
               session_.send_reply(id, "{}");
             } else {
               session_.send_plain_error(id, "unknown monitor");
             }
           }});
}

void SessionMonitors::forget(const DatabaseInfo& database) {
  std::erase_if(asked_, [&](const auto& entry) {
    if (entry.second.database.get() != &database) return false;
    id_bytes_ -= entry.first.text().size();
    clauses_ -= entry.second.request->clauses();
    return true;
  });
}

}  // namespace tandem
