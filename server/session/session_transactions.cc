// Transactions of a session.

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "server/session/session.h"
#include "server/session/session_transact_call.h"

namespace tandem {

namespace {

std::string text_of(JsonView value) {
  return value.is_string() ? std::string(value.get_string()) : "";
}

}  // namespace

void Session::transact(JsonRpcMessage& message) {
  if (const DatabaseInfoRef database = database_of(message))
    transact(message, database, {port_.info().role, port_.info().peer_id, message.params});
}

/// [DB]: the ids of the servers that a transaction comes through until it is executed, this one
/// first; by them relays see that they go round in a circle. Behind them "read-only", if what may
/// write is not executed now.
void Session::tandem_path(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  submit_request([hub = &hub_, id = id_, request = message.id, name = database->name] {
    DatabaseServer& server = hub->server();
    std::string path = "[\"" + server.server_id().to_string() + '"';
    if (const ServedDatabase* const served = server.find(name)) {
      for (const Uuid& next : served->source.path) path += ",\"" + next.to_string() + '"';
      if (!server.takes_writes(*served)) path += ",\"read-only\"";
    }
    server.reply(hub->mailbox(), [hub, id, request, path = path + ']'] {
      if (Session* const self = hub->find_answered(id)) self->send_reply(request, path);
    });
  });
}

/// [DB, {"client": ID, "role": ROLE, "height": true}, PARAMS]: a client of the peer's asks for
/// "transact" with these params. If it has a role, that counts. If the peer asks for the height of
/// the database, it is told in a "tandem_executed" before the answer.
void Session::tandem_transact(JsonRpcMessage& message) {
  const DatabaseInfoRef database = database_of(message);
  if (!database) return;
  const JsonView params = message.params;
  OnBehalf client;
  if (params.size() == 3) {
    const JsonView height = params[1].find("height");
    client = {text_of(params[1].find("role")), text_of(params[1].find("client")), params[2],
              height.is_bool() && height.get_bool()};
  }
  const bool valid = (!client.role.empty() || client.asks_height) && client.params.is_array() &&
                     !client.params.empty() && text_of(client.params.front()) == database->name;
  if (!valid) return send_error(message.id, params_error(message, "invalid parameters"));
  transact(message, database, std::move(client));
}

void Session::transact(JsonRpcMessage& message, const DatabaseInfoRef& database, OnBehalf client) {
  auto call = std::make_unique<SessionTransactCall>();
  call->hub = &hub_;
  call->session = id_;
  call->mailbox = &hub_.mailbox();
  call->database = database->name;
  call->id = std::move(message.id);
  call->request = std::move(message.document);
  call->params = client.params;
  call->is_long_message = is_long(message.bytes);
  call->read_only = port_.info().read_only;
  call->role = std::move(client.role);
  call->client_id = std::move(client.client_id);
  call->asks_height = client.asks_height;
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
  call->unbounded =
      call->asks_height && feeds_.follows(call->database) && forwarded_ < kMostForwarded;
  call->uncounted = call->unbounded;
  const bool counted = !call->unbounded;
  auto job = [server = &hub_.server(), call = std::move(call)]() mutable {
    server->transact(std::move(call));
  };
  if (counted) return submit_request(std::move(job), asks);
  ++forwarded_;
  known_to_writer_ = true;
  hub_.server().submit(std::move(job), lane_, asks.only_reads);
}

void Session::send_forwarded(const JsonId& id, const TransactCall::Reply& reply) {
  send_updates();
  port_.send(reply.is_error ? make_error_reply(id, reply.json) : make_reply(id, reply.json));
}

void Session::tell_height(const JsonId& id, const Height& height) {
  port_.send(
      make_notification("tandem_executed", "[" + id.text() + ",\"" + height.to_string() + "\"]"));
}

void Session::lose(const std::string& reason) {
  waiting_.clear();
  port_.close(reason);
}

void Session::cancel(JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.size() != 1) return;
  submit_notice([server = &hub_.server(), session = id_, id = JsonId(params.front())] {
    server->cancel(session, id);
  });
}

}  // namespace tandem
