#include "server/session/session_locks.h"

#include <utility>

#include "server/session/session.h"

namespace tandem {
namespace {

constexpr std::string_view kNoLocks =
    "lock and unlock methods not allowed, DB server is read only.";

}  // namespace

std::optional<std::string> SessionLocks::name_of(const JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.size() == 1 && params.front().is_string() && is_id(params.front().get_string()))
    return std::string(params.front().get_string());
  session_.send_error(message.id, params_error(message, std::string(message.method) +
                                                            " request params must be <id>"));
  return std::nullopt;
}

void SessionLocks::refuse(const JsonRpcMessage& message) {
  if (name_of(message)) session_.send_plain_error(message.id, kNoLocks);
}

void SessionLocks::refuse_as_backup(ClientHub& hub, SessionId session, const JsonId& id,
                                    const std::string& name) {
  hub.server().reply(hub.mailbox(), [hub = &hub, session, id, name] {
    Session* self = hub->find_answered(session);
    if (self == nullptr) return;
    self->locks().give_back(name);
    self->send_plain_error(id, kNoLocks);
  });
}

void SessionLocks::open_on_writer(ClientHub& hub, SessionId session) {
  hub.server().open_session(session, hub.mailbox(),
                            [hub = &hub, session](const std::string& lock, bool stolen) {
                              if (Session* self = hub->find(session))
                                self->locks().on_notice(lock, stolen);
                            });
}

void SessionLocks::give_back(const std::string& name) {
  if (held_.erase(name) > 0) name_bytes_ -= name.size();
}

/// Nothing if it was given back meanwhile.
void SessionLocks::set_held(const std::string& name, bool held) {
  if (const auto lock = held_.find(name); lock != held_.end()) lock->second = held;
}

void SessionLocks::tell(SessionFacts& facts) const {
  for (const auto& [name, held] : held_) (held ? facts.locks : facts.awaited).push_back(name);
}

// --- notices ---

void SessionLocks::on_notice(const std::string& name, bool stolen) {
  set_held(name, !stolen);
  if (!port_.is_behind()) return send_notice(name, stolen);
  const auto [untold, is_new] = untold_.try_emplace(name, Untold{stolen, stolen});
  if (!is_new) untold->second.last_stolen = stolen;
}

void SessionLocks::on_writable() {
  while (!untold_.empty()) tell(std::string(untold_.begin()->first));
}

void SessionLocks::tell(const std::string& name) {
  const auto untold = untold_.extract(name);
  if (untold.empty()) return;
  const auto [first_stolen, last_stolen] = untold.mapped();
  send_notice(name, first_stolen);
  if (last_stolen != first_stolen) send_notice(name, last_stolen);
}

void SessionLocks::send_notice(const std::string& name, bool stolen) {
  std::string params = "[";
  append_json_string(params, name);
  port_.send(make_notification(stolen ? "stolen" : "locked", params + "]"));
}

// --- requests ---

void SessionLocks::acquire(const JsonRpcMessage& message, LockTable::Mode mode) {
  std::optional<std::string> name = name_of(message);
  if (!name) return;
  if (held_.size() >= hub_.limits().locks && !held_.contains(*name))
    return session_.send_limit_error(message.id, Limit::kLocks);
  if (!held_.contains(*name)) {
    if (!session_.may_keep(message.id, name->size())) return;
    held_.emplace(*name, false);
    name_bytes_ += name->size();
  }
  asked_ = true;
  Error twice = params_error(
      message, "must issue \"unlock\" before new \"" + std::string(message.method) + "\"");
  session_.submit_request([hub = &hub_, session = session_.id(), lock = std::move(*name), mode,
                           id = message.id, twice = std::move(twice)] {
    if (hub->server().is_backup()) return refuse_as_backup(*hub, session, id, lock);
    open_on_writer(*hub, session);
    const std::optional<bool> owned = hub->server().lock(session, lock, mode);
    hub->server().reply(hub->mailbox(), [hub, session, owned, lock, id, twice] {
      Session* self = hub->find_answered(session);
      if (self == nullptr) return;
      self->locks().tell(lock);
      if (!owned) {
        self->send_error(id, twice);
      } else {
        self->locks().set_held(lock, *owned);
        self->send_reply(id, *owned ? R"({"locked":true})" : R"({"locked":false})");
      }
    });
  });
}

void SessionLocks::release(const JsonRpcMessage& message) {
  std::optional<std::string> name = name_of(message);
  if (!name) return;
  give_back(*name);
  Error never = params_error(message, "unlock: \"unlock\" without \"lock\" or \"steal\"");
  session_.submit_request([hub = &hub_, session = session_.id(), lock = std::move(*name),
                           id = message.id, never = std::move(never)] {
    if (hub->server().is_backup()) return refuse_as_backup(*hub, session, id, lock);
    const bool released = hub->server().unlock(session, lock);
    hub->server().reply(hub->mailbox(), [hub, session, released, lock, id, never] {
      Session* self = hub->find_answered(session);
      if (self == nullptr) return;
      self->locks().tell(lock);
      if (released) {
        self->send_reply(id, "{}");
      } else {
        self->send_error(id, never);
      }
    });
  });
}

}  // namespace tandem
