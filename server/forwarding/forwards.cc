#include "server/forwarding/forwards.h"

#include <algorithm>
#include <utility>

#include "protocol/json/json_grammar.h"
#include "protocol/json/json_verbatim.h"
#include "protocol/json/member_writer.h"
#include "replication/error_tag.h"

namespace tandem {
namespace {

/// Records are sent before the answer, or soon after it. So long none may come.
constexpr std::int64_t kRecordsLateMs = 10'000;

bool is_wrapped(const TransactCall& call, bool asks_height) {
  return asks_height || !call.role.empty();
}

/// The request for a transaction, with what the server needs to know of who asks for it.
std::string request_of(const TransactCall& call, bool asks_height, const JsonId& id) {
  std::string text;
  if (!is_wrapped(call, asks_height)) {
    append_json_verbatim(text, call.params);
    return make_request("transact", text, id);
  }
  text = '[' + json_string(call.database) + ",{";
  MemberWriter members(text);
  if (!call.role.empty()) {
    members.string("client", call.client_id);
    members.string("role", call.role);
  }
  if (asks_height) members.boolean("height", true);
  text += "},";
  append_json_verbatim(text, call.params);
  return make_request("tandem_transact", text += ']', id);
}

/// How deep arrays and objects of a sound text are in each other.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0;
  std::size_t most = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '[' || c == '{')) {
      most = std::max(most, ++depth);
    } else if (!in_string && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return most;
}

TransactCall::Reply reply_of(const JsonRpcMessage& answer) {
  TransactCall::Reply reply;
  reply.is_error = reply.failed = answer.kind == JsonRpcMessage::Kind::kError;
  const JsonView value = reply.is_error ? answer.error : answer.result;
  append_json_verbatim(reply.json, value);
  if (!reply.is_error && value.is_array()) {
    for (const JsonView result : value.elements()) {
      const JsonView error = result.find("error");
      reply.failed = reply.failed || (error && !error.is_null());
    }
  }
  return reply;
}

/// The server does not know "tandem_transact", or does not take it from this one.
bool is_not_taken(const JsonRpcMessage& answer) {
  return answer.kind == JsonRpcMessage::Kind::kError &&
         (is_error(answer.error, "unknown method") || is_error(answer.error, "permission error"));
}

Error role_error(const TransactCall& call) {
  return {"permission error",
          "RBAC rules for client \"" + call.client_id + "\" role \"" + call.role +
              "\" cannot be applied through this server: the one that executes its transactions " +
              "does not take them with a client's role",
          std::nullopt};
}

}  // namespace

Forwards::Forwards(std::string database, Copy copy, std::string id_prefix, std::size_t most_bytes,
                   ForwardsPort& port)
    : database_(std::move(database)),
      copy_(copy),
      id_prefix_(std::move(id_prefix)),
      most_bytes_(most_bytes),
      port_(port) {}

void Forwards::forward(std::unique_ptr<TransactCall> call) {
  if (copy_ == Copy::kBackup && !open_) return port_.take_back(std::move(call));
  if (ended_) return refuse(std::move(call));
  waiting_.push_back(std::move(call));
  send_waiting();
}

void Forwards::send_waiting() {
  while (open_ && !waiting_.empty() && port_.has_room()) {
    std::unique_ptr<TransactCall> call = std::move(waiting_.front());
    waiting_.pop_front();
    send(std::move(call));
  }
}

void Forwards::send(std::unique_ptr<TransactCall> call) {
  const bool asks_height = copy_ == Copy::kBackup;
  const JsonId id = JsonId::of_string(id_prefix_ + std::to_string(++next_id_));
  std::string text = request_of(*call, asks_height, id);
  // As the client has sent it, it is no deeper than it may be.
  const bool too_deep = is_wrapped(*call, asks_height) && depth_of(text) > kMostJsonDepth;
  if (too_deep || text.size() > most_bytes_) {
    call->refused = Error{"resources exhausted",
                          "the request is too large, or nested too deeply, to be executed by "
                          "another server",
                          std::nullopt};
    return port_.answer(std::move(call));
  }
  port_.send(std::move(text));
  if (!asks_height) {
    call->params = {};
    call->request = {};
  }
  sent_.emplace(id, std::move(call));
}

void Forwards::open() {
  if (ended_) return;
  open_ = true;  // it may be already
  records_lost_.clear();
  send_waiting();
}

void Forwards::pause() {
  open_ = false;
  if (copy_ == Copy::kBackup) take_back_waiting();
}

void Forwards::take_back_waiting() {
  for (std::unique_ptr<TransactCall>& call : std::exchange(waiting_, {}))
    port_.take_back(std::move(call));
}

void Forwards::lose_records(const std::string& reason) {
  records_lost_ = reason;
  give_up_answered(reason);
}

void Forwards::give_up_answered(const std::string& reason) {
  for (auto& [height, call] : std::exchange(answered_, {})) give_up(std::move(call), reason);
}

void Forwards::tick(std::int64_t now_ms) {
  if (answered_.empty()) {
    due_ms_.reset();
  } else if (!due_ms_) {
    due_ms_ = now_ms;
  } else if (now_ms - *due_ms_ >= kRecordsLateMs) {
    give_up_answered("what it has written does not come");
  }
}

void Forwards::give_up(std::unique_ptr<TransactCall> call, const std::string& reason) {
  if (call == nullptr) return;
  call->lost =
      "the outcome of a transaction is not known, since the server that executes those of " +
      database_ + " was lost" + (reason.empty() ? "" : ": " + reason);
  port_.answer(std::move(call));
}

void Forwards::close(const std::string& reason) {
  pause();
  for (auto& [id, call] : std::exchange(sent_, {})) give_up(std::move(call), reason);
  // These were executed, but a client that reads would not see it here.
  give_up_answered(reason);
}

void Forwards::end(const std::string& reason) {
  ended_ = true;
  for (const auto& [id, call] : sent_)
    if (call != nullptr && call->wait_bytes > 0) send_cancel(id);
  close(reason);
  for (std::unique_ptr<TransactCall>& call : std::exchange(waiting_, {})) refuse(std::move(call));
}

void Forwards::refuse(std::unique_ptr<TransactCall> call) {
  call->canceled = true;
  port_.answer(std::move(call));
}

bool Forwards::on_answer(const JsonRpcMessage& answer) {
  const auto sent = sent_.find(answer.id);
  if (sent == sent_.end()) return false;
  std::unique_ptr<TransactCall> call = std::move(sent->second);
  sent_.erase(sent);
  if (call == nullptr) return true;
  if (copy_ == Copy::kBackup && is_not_taken(answer)) {
    port_.take_back(std::move(call));
    return true;
  }
  if (!call->role.empty() && is_not_taken(answer)) {
    call->refused = role_error(*call);
  } else {
    call->forwarded = reply_of(answer);
  }
  if (call->height > handed_on_ && !records_lost_.empty()) {
    give_up(std::move(call), records_lost_);
  } else if (call->height > handed_on_) {
    answered_.emplace(*call->height, std::move(call));
  } else {
    port_.answer(std::move(call));
  }
  return true;
}

bool Forwards::on_notification(const JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (message.method != "tandem_executed" || params.size() != 2 || !params[1].is_string())
    return false;
  const auto sent = sent_.find(JsonId(params[0]));
  if (sent == sent_.end()) return false;
  if (sent->second != nullptr) sent->second->height = Height::parse(params[1].get_string());
  return true;
}

void Forwards::on_handed_on(const Height& height) {
  handed_on_ = height;
  due_ms_.reset();
  while (!answered_.empty() && answered_.begin()->first <= height)
    port_.answer(std::move(answered_.extract(answered_.begin()).mapped()));
}

void Forwards::send_cancel(const JsonId& id) {
  port_.send(make_notification("cancel", "[" + id.text() + "]"));
}

void Forwards::cancel(SessionId session, const JsonId& id) {
  const auto is_meant = [&](const std::unique_ptr<TransactCall>& call) {
    return call != nullptr && call->session == session && call->id == id;
  };
  const auto waiting = std::find_if(waiting_.begin(), waiting_.end(), is_meant);
  if (waiting != waiting_.end()) {
    std::unique_ptr<TransactCall> call = std::move(*waiting);
    waiting_.erase(waiting);
    return refuse(std::move(call));
  }
  for (const auto& [sent_id, call] : sent_) {
    if (is_meant(call)) return send_cancel(sent_id);
  }
}

void Forwards::drop(SessionId session) {
  const auto is_meant = [session](const std::unique_ptr<TransactCall>& call) {
    return call != nullptr && call->session == session;
  };
  std::erase_if(waiting_, is_meant);
  std::erase_if(answered_, [&](const auto& entry) { return is_meant(entry.second); });
  for (auto& [id, call] : sent_) {
    if (!is_meant(call)) continue;
    if (call->wait_bytes > 0) send_cancel(id);  // or it would wait for ever, for nobody
    call.reset();
  }
}

}  // namespace tandem
