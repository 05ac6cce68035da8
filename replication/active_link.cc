#include "replication/active_link.h"

#include <algorithm>
#include <utility>

#include "replication/error_tag.h"

namespace tandem {

/// One follower and its way out through the link.
class ActiveLink::Lane final : public FollowerPort {
 public:
  Lane(ActiveLink& link, const std::string& database, Replica& replica)
      : link_(link), follower_(database, replica, *this, link.identity_) {}

  Follower& follower() { return follower_; }

  void request(std::string_view method, std::string_view params, int tag) override {
    link_.request(method, params, {follower_.database(), tag, follower_.attempt()});
  }
  void notify(std::string_view method, std::string_view params) override {
    link_.port_.send(make_notification(method, params));
  }
  void restart(const std::string& reason) override { link_.port_.restart(reason); }
  std::int64_t monotonic_ms() const override { return link_.port_.monotonic_ms(); }
  void changed() override { link_.port_.changed(); }
  void handed_on(const Height& height) override {
    link_.port_.handed_on(follower_.database(), height);
  }
  void log_info(const std::string& text) override { link_.port_.log_info(text); }
  void log_warn(const std::string& text) override { link_.port_.log_warn(text); }
  void log_finding(const std::string& database, const std::string& finding) override {
    link_.port_.log_finding(database, finding);
  }

 private:
  ActiveLink& link_;
  Follower follower_;
};

ActiveLink::ActiveLink(BackupIdentity identity, ActiveLinkPort& port)
    : identity_(std::move(identity)), port_(port) {}

ActiveLink::~ActiveLink() = default;

void ActiveLink::add(const std::string& database, Replica& replica) {
  const auto lane =
      lanes_.insert_or_assign(database, std::make_unique<Lane>(*this, database, replica)).first;
  if (state_ == State::kFollowing) lane->second->follower().on_connected(served(database));
}

void ActiveLink::remove(const std::string& database) {
  const auto lane = lanes_.find(database);
  if (lane == lanes_.end()) return;
  const Follower& follower = lane->second->follower();
  // Or the database could not be monitored again on this connection.
  if (state_ == State::kFollowing && follower.status().mode == FollowerStatus::Mode::kMonitor)
    request("monitor_cancel", "[" + follower.monitor_id().text() + "]",
            {database, 0, kNobodysAttempt});
  lanes_.erase(lane);
}

bool ActiveLink::served(const std::string& database) const {
  return std::find(databases_.begin(), databases_.end(), database) != databases_.end();
}

void ActiveLink::request(std::string_view method, std::string_view params, Pending pending) {
  const JsonId id(next_request_++);
  pending_.emplace(id, std::move(pending));
  port_.send(make_request(method, params, id));
}

void ActiveLink::on_connected() {
  pending_.clear();
  databases_.clear();
  state_ = State::kServerId;
  request("get_server_id", "[]", {});
}

void ActiveLink::on_disconnected(const std::string& reason) {
  state_ = State::kDisconnected;
  pending_.clear();
  for (auto& [name, lane] : lanes_) lane->follower().on_disconnected(reason);
}

void ActiveLink::on_message(const JsonRpcMessage& message) {
  switch (message.kind) {
    case JsonRpcMessage::Kind::kReply:
    case JsonRpcMessage::Kind::kError:
      on_reply(message);
      return;
    case JsonRpcMessage::Kind::kNotification:
      on_notification(message);
      return;
    case JsonRpcMessage::Kind::kRequest:
      port_.send(make_error_reply(message.id, "\"unknown method\""));
      return;
  }
}

void ActiveLink::depose() {
  for (const auto& [name, lane] : lanes_) {
    if (lane->follower().status().mode != FollowerStatus::Mode::kStream) continue;
    port_.send(make_notification("tandem_depose", "[]"));
    return;
  }
}

void ActiveLink::on_notification(const JsonRpcMessage& message) {
  // All that concern a follower begin with the database's name, its monitor's id too.
  const JsonView params = message.params;
  if (!params.is_array() || params.empty()) return;
  const auto lane =
      params[0].is_string() ? lanes_.find(std::string(params[0].get_string())) : lanes_.end();
  if (lane == lanes_.end()) return;
  Follower& follower = lane->second->follower();
  if (message.method == "tandem_lost") return follower.on_lost();
  if (params.size() != 2) return;
  if (message.method == "tandem_record") return follower.on_record(params[1]);
  if (message.method == "tandem_rows") return follower.on_rows(params[1]);
  if (message.method == "tandem_role") return follower.on_role(params[1]);
  if (message.method == "update") return follower.on_update(params[1]);
}

void ActiveLink::on_reply(const JsonRpcMessage& reply) {
  const auto pending = pending_.find(reply.id);
  if (pending == pending_.end()) {
    port_.restart("reply to a request that was not made");
    return;
  }
  const Pending request = std::move(pending->second);
  pending_.erase(pending);
  if (request.database.empty()) {
    on_own_reply(reply);
  } else if (const auto lane = lanes_.find(request.database); lane != lanes_.end()) {
    lane->second->follower().on_reply(request.tag, request.attempt, reply);
  }
}

void ActiveLink::on_own_reply(const JsonRpcMessage& reply) {
  const bool failed = reply.kind == JsonRpcMessage::Kind::kError;
  switch (state_) {
    case State::kServerId:
      if (failed && is_error(reply.error, "not allowed")) {
        refuse("the server may not be followed: " + to_text(reply.error));
        return;
      }
      // A server without the method is some other program than us.
      if (!failed && reply.result.is_string() &&
          Uuid::parse(reply.result.get_string()) == identity_.server_id) {
        refuse("Self replicating is not allowed");
        return;
      }
      state_ = State::kDatabases;
      request("list_dbs", "[]", {});
      return;
    case State::kDatabases:
      if (failed || !reply.result.is_array()) {
        refuse("the active server does not list its databases");
        return;
      }
      for (const JsonView name : reply.result.elements()) {
        if (name.is_string()) databases_.emplace_back(name.get_string());
      }
      state_ = State::kFollowing;
      for (auto& [name, lane] : lanes_) lane->follower().on_connected(served(name));
      return;
    case State::kDisconnected:
    case State::kFollowing:
    case State::kRefused:
      port_.restart("reply to a request that was not made");
      return;
  }
}

void ActiveLink::tick() {
  switch (state_) {
    case State::kRefused:
      if (refused_ms_ + kRetryRefusedMs <= port_.monotonic_ms()) port_.restart("trying again");
      return;
    case State::kFollowing:
      for (auto& [name, lane] : lanes_) lane->follower().tick();
      return;
    case State::kDisconnected:
    case State::kServerId:
    case State::kDatabases:
      return;
  }
}

void ActiveLink::refuse(const std::string& reason) {
  state_ = State::kRefused;
  refused_ms_ = port_.monotonic_ms();
  for (auto& [name, lane] : lanes_) lane->follower().refuse(reason);
}

std::map<std::string, FollowerStatus> ActiveLink::status() const {
  std::map<std::string, FollowerStatus> result;
  for (const auto& [name, lane] : lanes_) result.emplace(name, lane->follower().status());
  return result;
}

}  // namespace tandem
