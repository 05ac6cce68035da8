#include "tests/fuzz/session/client.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "protocol/json/json_reader.h"
#include "server/session/session_limits.h"
#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {

Client::Client(Shard& shard, const HandlerFactory& make_handler, ConnectionInfo info)
    : shard_(shard), info_(std::move(info)) {
  trace("--", "connects");
  handler_ = make_handler(*this);
}

Client::~Client() = default;

Client::Model Client::find(const std::string& id) const {
  const auto found = monitors_.find(id);
  if (found != monitors_.end()) return found->second;
  for (const auto& [request_id, request] : owed_) {
    if (request.asked == Asked::kMonitor && request.monitor == id) return request.model;
  }
  return nullptr;
}

// --- requests ---

void Client::ask(const JsonId& id, std::string_view method, const Json& params, Request request) {
  if (state_ != State::kOpen) return;
  const auto [owed, is_new] = owed_.try_emplace(id.text(), std::move(request));
  if (!is_new) ++owed->second.answers;
  push(make_request(method, to_text(params), id));
}

void Client::transact(const Json& params, const JsonId& repeated_id, bool inserts) {
  last_transact_ = repeated_id == JsonId() ? next_id() : repeated_id;
  Request request;
  request.asked = Asked::kTransact;
  if (inserts) request.database = params[0].get<std::string>();
  ask(last_transact_, "transact", params, std::move(request));
}

bool Client::is_pending(const std::string& id) const {
  return std::any_of(owed_.begin(), owed_.end(), [&](const auto& owed) {
    return owed.second.monitor == id || owed.second.new_id == id;
  });
}

void Client::monitor(const std::string& id, std::string_view method, const Json& params,
                     Model model) {
  const Model other = find(id);
  if (other != nullptr && is_pending(id) && other->database != model->database) unclear_.insert(id);
  Request request;
  request.asked = Asked::kMonitor;
  request.monitor = id;
  request.model = std::move(model);
  ask(next_id(), method, params, std::move(request));
}

void Client::change_conditions(const std::string& id, const std::string& new_id, const Json& params,
                               std::optional<MonitorModel::Condition> condition) {
  const auto is_unclear = [&](const std::string& name) {
    return is_pending(name) || unclear_.contains(name);
  };
  if (id != new_id && (is_unclear(id) || is_unclear(new_id))) {
    unclear_.insert(id);
    unclear_.insert(new_id);
  }
  Request request;
  request.asked = Asked::kChange;
  request.monitor = id;
  request.new_id = new_id;
  request.condition = std::move(condition);
  ask(next_id(), "monitor_cond_change", params, std::move(request));
}

void Client::cancel_monitor(const std::string& id) {
  Request request;
  request.asked = Asked::kCancel;
  request.monitor = id;
  ask(next_id(), "monitor_cancel", Json::array({id}), std::move(request));
}

void Client::request(std::string_view method, const Json& params) {
  asked_oddly_ = asked_oddly_ || method.starts_with("monitor");
  ask(next_id(), method, params, {});
}

void Client::notify(std::string_view method, const Json& params) {
  push(make_notification(method, to_text(params)));
}

void Client::send_answer() { push(make_reply(JsonId::of_string("nothing asked"), "[]")); }

void Client::cancel_transactions() {
  for (const auto& [id, request] : std::map(owed_)) {
    if (request.asked == Asked::kTransact) push(make_notification("cancel", "[" + id + "]"));
  }
}

void Client::push(const std::string& text) {
  if (state_ != State::kOpen) return;
  trace("->", text);
  JsonRpcMessage message = JsonRpcMessage::from_json(parse_json(text).value()).value();
  // Some are read as long ones are.
  if (++pushed_ % 3 == 0) message.bytes = SessionLimits{}.bytes_read_at_once + 1;
  inbox_.push_back(std::move(message));
  schedule();
}

// --- what arrives ---

/// Messages are whole texts, or come in pieces, of which the last ends it.
void Client::received(const std::string& bytes) {
  text_ += bytes;
  const auto message = read_json(text_);
  if (!message) {
    require(!queue_.empty(), "what is sent is JSON");
    return;
  }
  trace("<-", text_);
  text_.clear();
  require(message->is_object(), "messages are objects");
  if (message->contains("method")) {
    on_notification(*message);
  } else {
    on_reply(*message);
  }
}

void Client::on_reply(const Json& message) {
  const auto owed = owed_.find(to_text(message.at("id")));
  require(owed != owed_.end(), "replies are to requests that are not yet answered");
  const Request request = owed->second;
  if (--owed->second.answers == 0) owed_.erase(owed);
  if (message.at("error").is_null()) on_result(request, message.at("result"));
}

void Client::on_result(const Request& request, const Json& result) {
  switch (request.asked) {
    case Asked::kOther:
      return;
    case Asked::kTransact:
      if (!request.database.empty()) on_inserted(request.database, result);
      return;
    case Asked::kMonitor: {
      const bool since = request.model->version == MonitorModel::Version::kUpdate3;
      if (since) {
        require(result.size() == 3, "monitor_cond_since answers with three things");
        last_id_ = result[1].get<std::string>();
        // What it held then is not known here.
        if (result[0].get<bool>()) request.model->followed = false;
      }
      require(unclear_.contains(request.monitor) || !monitors_.contains(request.monitor),
              "an id names one monitor");
      request.model->apply(since ? result[2] : result);
      monitors_[request.monitor] = request.model;
      return;
    }
    case Asked::kChange: {
      rename(request);
      const auto changed = monitors_.find(request.new_id);
      if (unclear_.contains(request.new_id)) return;
      require(changed != monitors_.end(), "conditions are those of a monitor");
      // Monitors of the first kind have no conditions, and a change of them changes nothing.
      if (request.condition && changed->second->version != MonitorModel::Version::kUpdate)
        changed->second->condition = *request.condition;
      return;
    }
    case Asked::kCancel:
      require(monitors_.erase(request.monitor) > 0 || unclear_.contains(request.monitor),
              "a monitor that is canceled was there");
      return;
  }
}

/// A transaction's updates come before its reply.
void Client::on_inserted(const std::string& database, const Json& results) const {
  const Json* const uuid = find_member(results.at(0), "uuid");
  if (uuid == nullptr || results.size() > 1) return;  // it failed
  const auto row = uuid->at(1).get<std::string>();
  for (const auto& [id, model] : monitors_) {
    if (model->database != database || unclear_.contains(id) || !model->sees_all()) continue;
    require(model->knows(row), "a transaction's updates come before its reply");
  }
}

void Client::on_notification(const Json& message) {
  const auto method = message.at("method").get<std::string>();
  const Json& params = message.at("params");
  if (method.starts_with("update")) return on_update(method, params);
  if (method == "monitor_canceled") {
    monitors_.erase(params.at(0).is_string() ? params.at(0).get<std::string>() : "");
  } else if (method == "tandem_record") {
    streamed_ = params.at(1).at("position");
  } else if (method == "tandem_role") {
    require(params.at(1).at("backup").is_boolean(), "a role is told as it is read");
  } else {
    require(method == "locked" || method == "stolen" || method == "tandem_rows" ||
                method == "tandem_lost",
            "notifications are of known kinds");
  }
}

void Client::on_update(const std::string& method, const Json& params) {
  if (!params.at(0).is_string()) return;  // asked for oddly
  const auto id = params.at(0).get<std::string>();
  if (method == "update3") last_id_ = params.at(1).get<std::string>();
  // A change of its id takes effect with the first update, before the reply.
  for (const auto& [request_id, request] : owed_) {
    if (request.asked == Asked::kChange && request.new_id == id && !monitors_.contains(id))
      rename(request);
  }
  if (unclear_.contains(id)) return;
  const auto monitor = monitors_.find(id);
  require(monitor != monitors_.end(), "updates are of monitors that the client has");
  const bool is_third = monitor->second->version == MonitorModel::Version::kUpdate3;
  require(is_third == (method == "update3"), "a monitor is updated as it was asked for");
  monitor->second->apply(params.at(is_third ? 2 : 1));
}

void Client::rename(const Request& request) {
  if (request.monitor == request.new_id) return;
  auto node = monitors_.extract(request.monitor);
  if (node.empty()) return;
  node.key() = request.new_id;
  monitors_.insert(std::move(node));
}

// --- at rest ---

std::optional<std::size_t> Client::monitors() const {
  if (asked_oddly_ || !unclear_.empty()) return std::nullopt;
  return monitors_.size();
}

void Client::check_answered() const {
  if (state_ != State::kOpen) return;
  require(inbox_.empty(), "requests are read");
  require(owed_.empty(), "requests are answered");
  require(queue_.empty() && text_.empty(), "messages are whole");
}

}  // namespace tandem::fuzz
