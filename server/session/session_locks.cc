#include "server/session/session_locks.h"

#include <utility>

#include "server/session/session.h"

namespace tandem {
namespace {

constexpr std::string_view kNoLocks =
    "lock and unlock methods not allowed, DB server is read only.";

}  // namespace

std::optional<std::string> SessionLocks::name_of(const JsonRpcMessage& message) {
  const json::array& params = message.params.as_array();
  if (params.size() == 1 && params.front().is_string() && is_id(params.front().as_string()))
    return std::string(params.front().as_string());
  session_.send_error(message.id,
                      params_error(message, message.method + " request params must be <id>"));
  return std::nullopt;
}

void SessionLocks::refuse(const JsonRpcMessage& message) {
  if (name_of(message)) session_.send_plain_error(message.id, kNoLocks);
}

void SessionLocks::refuse_as_backup(ClientHub& hub, SessionId session, const json::value& id) {
  hub.server().reply(hub.mailbox(), [hub = &hub, session, id] {
    if (Session* self = hub->find(session)) self->send_plain_error(id, kNoLocks);
  });
}

void SessionLocks::open_on_writer() {
  hub_.server().submit(
      [hub = &hub_, id = session_.id()] {
        hub->server().open_session(
            id, hub->mailbox(), [hub, id](const std::string& lock, bool stolen) {
              Session* session = hub->find(id);
              if (session == nullptr) return;
              std::string params = "[";
              append_json_string(params, lock);
              session->locks().port_.send(
                  make_notification(stolen ? "stolen" : "locked", params + "]"));
            });
      },
      hub_.shard());
}

void SessionLocks::acquire(const JsonRpcMessage& message, LockTable::Mode mode) {
  std::optional<std::string> name = name_of(message);
  if (!name) return;
  asked_ = true;
  open_on_writer();
  hub_.server().submit(
      [hub = &hub_, session = session_.id(), lock = std::move(*name), mode, message] {
        if (hub->server().is_backup()) return refuse_as_backup(*hub, session, message.id);
        const std::optional<bool> owned = hub->server().lock(session, lock, mode);
        hub->server().reply(hub->mailbox(), [hub, session, owned, message] {
          Session* self = hub->find(session);
          if (self == nullptr) return;
          if (!owned) {
            self->send_error(message.id,
                             params_error(message, "must issue \"unlock\" before new \"" +
                                                       message.method + "\""));
          } else {
            self->send_reply(message.id, *owned ? R"({"locked":true})" : R"({"locked":false})");
          }
        });
      },
      hub_.shard());
}

void SessionLocks::release(const JsonRpcMessage& message) {
  std::optional<std::string> name = name_of(message);
  if (!name) return;
  hub_.server().submit(
      [hub = &hub_, session = session_.id(), lock = std::move(*name), message] {
        if (hub->server().is_backup()) return refuse_as_backup(*hub, session, message.id);
        const bool released = hub->server().unlock(session, lock);
        hub->server().reply(hub->mailbox(), [hub, session, released, message] {
          Session* self = hub->find(session);
          if (self == nullptr) return;
          if (released) {
            self->send_reply(message.id, "{}");
          } else {
            self->send_error(
                message.id,
                params_error(message, "unlock: \"unlock\" without \"lock\" or \"steal\""));
          }
        });
      },
      hub_.shard());
}

}  // namespace tandem
