// Transactions of a session.

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "server/session/session.h"
#include "server/session/session_transact_call.h"

namespace tandem {

void Session::transact(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  auto call = std::make_unique<SessionTransactCall>();
  call->hub = &hub_;
  call->session = id_;
  call->mailbox = &hub_.mailbox();
  call->database = database->name;
  call->id = std::move(message.id);
  call->request = std::move(message.document);
  call->params = message.params;
  call->is_long_message = is_long(message.bytes);
  call->read_only = port_.info().read_only;
  call->role = port_.info().role;
  call->client_id = port_.info().peer_id;
  call->received_us = hub_.server().clock().monotonic_us();
  read(
      message.bytes,
      [database, call = std::move(call)]() mutable {
        call->transaction = Transaction::from_json(database->schema, call->params);
        return std::move(call);
      },
      [](Session& session, std::unique_ptr<SessionTransactCall> read) {
        session.submit(std::move(read));
      });
}

void Session::submit(std::unique_ptr<SessionTransactCall> call) {
  const auto& operations = call->transaction.operations;
  const auto is_select = [](const Operation& o) { return std::holds_alternative<SelectOp>(o); };
  const Asks asks{.selects = std::any_of(operations.begin(), operations.end(), is_select),
                  .only_reads = std::all_of(operations.begin(), operations.end(), is_select)};
  call->selects = asks.selects;
  call->only_reads = asks.only_reads;
  submit_request([server = &hub_.server(),
                  call = std::move(call)]() mutable { server->transact(std::move(call)); },
                 asks);
}

void Session::cancel(JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.size() != 1) return;
  submit_notice([server = &hub_.server(), session = id_, id = JsonId(params.front())] {
    server->cancel(session, id);
  });
}

}  // namespace tandem
