// The one table of what clients may say. Nothing is done for a client but by an entry of it, and
// every entry says which authority it needs.

#include <array>

#include "server/session/session.h"

namespace tandem {

std::span<const Method> Session::methods() {
  using A = Authority;
  constexpr auto kRequest = Method::Form::kRequest;
  constexpr auto kNotification = Method::Form::kNotification;
  constexpr auto kEither = Method::Form::kEither;
  using S = Session;
  static constexpr std::array kMethods{
      Method{"cancel", kNotification, A::kAnyone, &S::cancel, nullptr},
      Method{"convert", kRequest, A::kRoot, &S::convert, &S::refuse_convert},
      Method{"get_schema", kRequest, A::kAnyone, &S::get_schema, nullptr},
      Method{"get_server_id", kRequest, A::kAnyone, &S::get_server_id, nullptr},
      Method{"list_dbs", kRequest, A::kAnyone, &S::list_dbs, nullptr},
      Method{"lock", kRequest, A::kWriter, &S::lock, &S::refuse_lock},
      Method{"monitor", kRequest, A::kAnyone, &S::monitor, nullptr},
      Method{"monitor_cancel", kRequest, A::kAnyone, &S::monitor_cancel, nullptr},
      Method{"monitor_cond", kRequest, A::kAnyone, &S::monitor_cond, nullptr},
      Method{"monitor_cond_change", kRequest, A::kAnyone, &S::monitor_cond_change, nullptr},
      Method{"monitor_cond_since", kRequest, A::kAnyone, &S::monitor_cond_since, nullptr},
      Method{"set_db_change_aware", kRequest, A::kAnyone, &S::set_db_change_aware, nullptr},
      Method{"steal", kRequest, A::kWriter, &S::steal, &S::refuse_lock},
      Method{"tandem_ack", kEither, A::kPeer, &S::tandem_ack, &S::refuse_peer},
      Method{"tandem_depose", kNotification, A::kPeer, &S::tandem_depose, &S::refuse_peer},
      Method{"tandem_follow", kRequest, A::kPeer, &S::tandem_follow, &S::refuse_peer},
      Method{"tandem_path", kRequest, A::kAnyone, &S::tandem_path, nullptr},
      Method{"tandem_transact", kRequest, A::kPeer, &S::tandem_transact, &S::refuse_peer},
      Method{"transact", kRequest, A::kAnyone, &S::transact, nullptr},
      Method{"unlock", kRequest, A::kWriter, &S::unlock, &S::refuse_lock},
  };
  return kMethods;
}

const Method* Session::find_method(const JsonRpcMessage& message) {
  const auto wrong = message.kind == JsonRpcMessage::Kind::kRequest ? Method::Form::kNotification
                                                                    : Method::Form::kRequest;
  for (const Method& method : methods()) {
    if (method.name == message.method) return method.form == wrong ? nullptr : &method;
  }
  return nullptr;
}

}  // namespace tandem
