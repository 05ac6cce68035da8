#include "server/session/session_monitors.h"

#include <utility>

#include "server/session/session.h"

namespace tandem {
namespace {

std::size_t clauses_of(const MonitorRequest& request) {
  std::size_t count = 0;
  for (const MonitoredTable& table : request.tables) count += table.condition.clauses().size();
  return count;
}

}  // namespace

template <class Then>
void SessionMonitors::in_turn(const json::value& id, const DatabaseInfoRef& database,
                              std::optional<Uuid> since, Then then) {
  auto started = [hub = &hub_, session = session_.id(), id, database,
                  then = std::move(then)](Result<MonitorStart> start) {
    Session* self = hub->find_answered(session);
    if (self == nullptr) return;
    if (start && start.value().database == database) {
      then(self->monitors(), std::move(start.value()));
    } else {
      self->send_plain_error(id, "canceled");
    }
  };
  session_.submit_request(
      [server = &hub_.server(), name = database->name, since, mailbox = &hub_.mailbox(),
       started = std::move(started)] { server->start_monitor(name, since, *mailbox, started); });
}

void SessionMonitors::start(const JsonRpcMessage& message, const DatabaseInfoRef& database,
                            MonitorVersion version) {
  const json::array& params = message.params.as_array();
  const std::size_t wanted = version == MonitorVersion::kUpdate3 ? 4 : 3;
  if (params.size() < wanted) {
    session_.send_error(message.id, params_error(message, "invalid parameters"));
    return;
  }
  const json::value& monitor_id = params[1];
  const std::string id_text = to_text(monitor_id);
  if (params[2].is_object() && asked_.contains(id_text)) {
    session_.send_error(message.id, syntax_error(&monitor_id, "duplicate monitor ID"));
    return;
  }
  Result<MonitorRequest> parsed = MonitorRequest::from_json(database->schema, version, params[2]);
  if (!parsed) {
    session_.send_error(message.id, parsed.error());
    return;
  }
  std::optional<Uuid> since;
  if (version == MonitorVersion::kUpdate3) {
    if (params[3].is_string()) since = Uuid::parse(params[3].as_string());
    if (!since) {
      session_.send_error(
          message.id,
          syntax_error(&params[3], params[3].is_string() ? "last-txn-id must be UUID format."
                                                         : "last-txn-id must be string"));
      return;
    }
  }
  auto request = std::make_shared<const MonitorRequest>(std::move(parsed.value()));
  if (asked_.size() >= hub_.limits().monitors)
    return session_.send_limit_error(message.id, Limit::kMonitors);
  if (clauses_of(*request) + clauses_ > hub_.limits().clauses)
    return session_.send_limit_error(message.id, Limit::kClauses);
  clauses_ += clauses_of(*request);
  asked_.insert_or_assign(id_text, Asked{database, request});
  in_turn(message.id, database, since,
          [id = message.id, monitor_id, request](SessionMonitors& self, MonitorStart start) {
            self.hub_.monitors().add(self.port_, monitor_id, id, *request, std::move(start));
          });
}

void SessionMonitors::change(const JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.size() != 3) {
    session_.send_error(message.id, params_error(message, "invalid parameters"));
    return;
  }
  const auto found = asked_.find(to_text(params[0]));
  if (found == asked_.end()) {
    session_.send_error(message.id, syntax_error(&params[0], "unknown monitor session"));
    return;
  }
  const std::string new_id = to_text(params[1]);
  if (new_id != found->first && asked_.contains(new_id)) {
    session_.send_error(message.id, syntax_error(&params[1], "duplicate monitor ID"));
    return;
  }
  Result<MonitorRequest> parsed = found->second.request->with_conditions(params[2]);
  if (!parsed) {
    session_.send_error(message.id, parsed.error());
    return;
  }
  auto request = std::make_shared<const MonitorRequest>(std::move(parsed.value()));
  const std::size_t others = clauses_ - clauses_of(*found->second.request);
  if (others + clauses_of(*request) > hub_.limits().clauses)
    return session_.send_limit_error(message.id, Limit::kClauses);
  clauses_ = others + clauses_of(*request);
  auto node = asked_.extract(found);
  node.key() = new_id;
  node.mapped().request = request;
  const DatabaseInfoRef database = node.mapped().database;
  asked_.insert(std::move(node));
  in_turn(message.id, database, std::nullopt,
          [message, request](SessionMonitors& self, const MonitorStart& now) {
            const json::array& ids = message.params.get_array();
            if (self.hub_.monitors().change(self.port_, ids[0], ids[1], *request, now)) {
              self.session_.send_reply(message.id, "{}");
            } else {
              self.session_.send_plain_error(message.id, "canceled");
            }
          });
}

void SessionMonitors::cancel(const JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.size() != 1) {
    session_.send_plain_error(message.id, "invalid parameters");
    return;
  }
  const auto found = asked_.find(to_text(params.front()));
  if (found == asked_.end()) {
    session_.send_plain_error(message.id, "unknown monitor");
    return;
  }
  const DatabaseInfoRef database = found->second.database;
  clauses_ -= clauses_of(*found->second.request);
  asked_.erase(found);
  in_turn(message.id, database, std::nullopt,
          [message](SessionMonitors& self, const MonitorStart&) {
            if (self.hub_.monitors().cancel(self.port_, message.params.get_array().front())) {
              self.session_.send_reply(message.id, "{}");
            } else {
              self.session_.send_plain_error(message.id, "unknown monitor");
            }
          });
}

void SessionMonitors::forget(const DatabaseInfo& database) {
  std::erase_if(asked_, [&](const auto& entry) {
    const bool gone = entry.second.database.get() == &database;
    if (gone) clauses_ -= clauses_of(*entry.second.request);
    return gone;
  });
}

}  // namespace tandem
