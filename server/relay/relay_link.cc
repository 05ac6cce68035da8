#include "server/relay/relay_link.h"

#include <fmt/core.h>

#include <algorithm>

#include "replication/error_tag.h"

namespace tandem {
namespace {

/// So long clients are told that there is a source after it was lost: most failovers are shorter.
constexpr std::int64_t kLostMs = 10'000;
/// So long a leader is looked for before another server of a cluster will do; and again after that.
constexpr std::int64_t kSeekLeaderMs = 5000;
constexpr std::int64_t kSeekAgainMs = 30'000;
/// So long a leader that goes as far as one before it is looked for.
constexpr std::int64_t kBehindMs = 30'000;
constexpr std::int64_t kAskSignMs = 1000;
constexpr std::int64_t kStaleMs = 3000;
constexpr std::size_t kLongestPath = 64;
constexpr std::string_view kReadOnly = "read-only";  // in a path
constexpr std::int64_t kDelayMs = 100;               // doubled at each failure in a row
constexpr std::int64_t kMaxDelayMs = 5000;

constexpr std::string_view kAskServerRows =
    R"(["_Server",["monid","_Server"],{"Database":[{"columns":["name","model","connected","leader",)"
    R"("schema","cid","index"]}]}])";

/// The database that a monitor's id names; empty: the id is another's.
std::string_view database_of(JsonView id) {
  if (!id.is_array() || id.size() != 2 || !id[0].is_string() || !id[1].is_string()) return "";
  return id[0].get_string() == "monid" ? id[1].get_string() : "";
}

}  // namespace

RelayLink::RelayLink(std::string database, const Uuid& server_id, std::size_t sources,
                     RelayCopy& copy, RelayLinkPort& port)
    : database_(std::move(database)),
      server_id_(server_id),
      sources_(sources),
      copy_(copy),
      port_(port) {}

void RelayLink::enter(State state) {
  using Shown = FollowerStatus::State;
  state_ = state;
  switch (state) {
    case State::kDisconnected:
      status_.state = Shown::kConnecting;
      break;
    case State::kIntroduction:
      status_.state = Shown::kNegotiating;
      break;
    case State::kWaiting:
    case State::kFailed:
      status_.state = Shown::kRefused;
      break;
    case State::kContents:
      status_.state = Shown::kResyncing;
      break;
    case State::kCurrent:
      status_.state = Shown::kReplicating;
      break;
  }
  port_.changed();
}

void RelayLink::note(const std::string& error) {
  status_.error = error;
  status_.error_ms = port_.monotonic_ms();
  // Said once, not once an attempt.
  if (std::exchange(noted_, error) != error) port_.log_info(database_ + ": " + error);
}

void RelayLink::fail(const std::string& reason) {
  last_id_ = {};
  if (state_ == State::kDisconnected || state_ == State::kFailed) return;
  ++attempt_;
  note("cannot be relayed now: " + reason);
  enter(State::kFailed);
  failures_ = std::min(failures_ + 1, 10);
  if (failures_ < 2) return port_.restart(reason);
  restart_ms_ = port_.monotonic_ms() + std::min(kMaxDelayMs, kDelayMs << failures_);
}

void RelayLink::leave(const std::string& reason) {
  note(reason);
  if (sources_ > 1) {
    ++attempt_;
    enter(State::kFailed);
    port_.restart(reason);
  } else if (state_ == State::kContents || state_ == State::kCurrent) {
    // There is nobody else: it is followed as it is, and clients are told in a while.
    if (!lost_ms_) lost_ms_ = port_.monotonic_ms();
  } else {
    enter(State::kWaiting);
  }
}

// --- the connection ---

void RelayLink::on_connected(const std::string& source) {
  ++attempt_;
  source_ = source;
  asked_.clear();
  waiting_.clear();
  rows_ = {};
  since_unknown_ = false;
  asked_to_be_aware_ = false;
  path_unknown_ = false;
  path_seen_ = false;
  announced_ = false;
  asked_sign_ = false;
  restart_ms_.reset();
  followed_ms_.reset();
  status_.heard_ms = port_.monotonic_ms();
  enter(State::kIntroduction);
  request("get_schema", R"(["_Server"])", Asked::kServerSchema);
}

void RelayLink::on_disconnected(const std::string& reason) {
  ++attempt_;
  restart_ms_.reset();
  status_.stale = false;
  if (announced_) {
    port_.log_info(database_ + ": lost the source " + source_ +
                   (reason.empty() ? "" : ": " + reason));
    noted_.clear();
  }
  if (!reason.empty()) {
    status_.error = reason;
    status_.error_ms = port_.monotonic_ms();
  }
  if (!lost_ms_) lost_ms_ = port_.monotonic_ms();
  set_path({}, true);
  enter(State::kDisconnected);
}

void RelayLink::request(std::string_view method, std::string_view params, Asked what) {
  const JsonId id(++next_request_);
  asked_.emplace(id, what);
  port_.send(make_request(method, params, id));
}

void RelayLink::tick() {
  const std::int64_t now = port_.monotonic_ms();
  if (restart_ms_ && *restart_ms_ <= now) {
    restart_ms_.reset();
    return port_.restart(status_.error);
  }
  if (lost_ms_ && *lost_ms_ + kLostMs <= now) tell_lost();
  if (behind_ms_ && *behind_ms_ + kBehindMs <= now) forget_index();
  if (followed_ms_ && *followed_ms_ + kSeekAgainMs <= now) {
    no_leader_ms_.reset();
    return leave("the source is not the leader");
  }
  if (state_ == State::kCurrent || state_ == State::kWaiting) ask_sign();
}

void RelayLink::tell_lost() {
  if (std::exchange(connected_, false)) copy_.set_connected(false);
}

void RelayLink::forget_index() {
  behind_ms_.reset();
  index_ = 0;
  port_.log_info(fmt::format(
      "{}: for {} s no leader has been found but one behind what another has shown: it will do",
      database_, kBehindMs / 1000));
  if (state_ == State::kWaiting || state_ == State::kCurrent) look();
}

void RelayLink::ask_sign() {
  const std::int64_t now = port_.monotonic_ms();
  if (now - status_.heard_ms.value_or(now) >= kStaleMs) status_.stale = true;
  if (asked_sign_ || now - asked_sign_ms_ < kAskSignMs) return;
  asked_sign_ = true;
  asked_sign_ms_ = now;
  if (state_ == State::kCurrent && !path_unknown_) return ask_path();
  request("echo", "[]", Asked::kEcho);
}

void RelayLink::ask_path() {
  request("tandem_path", '[' + json_string(database_) + ']', Asked::kPath);
}

void RelayLink::on_path(const JsonRpcMessage& reply) {
  asked_sign_ = false;
  path_seen_ = true;
  std::vector<Uuid> path;
  bool read_only = false;
  if (reply.kind == JsonRpcMessage::Kind::kError) {
    path_unknown_ = path_unknown_ || is_error(reply.error, "unknown method");
  } else if (reply.result.is_array()) {
    for (const JsonView server : reply.result.elements()) {
      const auto id = server.is_string() ? Uuid::parse(server.get_string()) : std::optional<Uuid>();
      if (id) path.push_back(*id);
      read_only = read_only || (server.is_string() && server.get_string() == kReadOnly);
    }
  }
  if (path.size() > kLongestPath || std::find(path.begin(), path.end(), server_id_) != path.end()) {
    const std::string why = "the source gets this database from this server: they are a circle";
    return sources_ > 1 ? leave(why) : fail(why);
  }
  set_path(std::move(path), read_only);
  become_current();
}

void RelayLink::set_path(std::vector<Uuid> path, bool read_only) {
  if (path == path_ && read_only == status_.source_is_read_only) return;
  path_ = path;
  status_.source_is_read_only = read_only;
  copy_.set_path(std::move(path), read_only);
  port_.changed();
}

void RelayLink::on_message(const JsonRpcMessage& message) {
  status_.heard_ms = port_.monotonic_ms();
  status_.stale = false;
  if (state_ == State::kFailed) return;
  switch (message.kind) {
    case JsonRpcMessage::Kind::kReply:
    case JsonRpcMessage::Kind::kError:
      return on_reply(message);
    case JsonRpcMessage::Kind::kNotification:
      return on_notification(message);
    case JsonRpcMessage::Kind::kRequest:
      return port_.send(make_error_reply(message.id, "\"unknown method\""));
  }
}

void RelayLink::on_reply(const JsonRpcMessage& reply) {
  const auto asked = asked_.find(reply.id);
  if (asked == asked_.end()) return fail("the source has answered what it was not asked");
  const Asked what = asked->second;
  asked_.erase(asked);
  const bool failed = reply.kind == JsonRpcMessage::Kind::kError;
  switch (what) {
    case Asked::kServerSchema:
      if (failed) return fail("the source has no database _Server: " + to_text(reply.error));
      return request("monitor_cond", kAskServerRows, Asked::kServerRows);
    case Asked::kServerRows:
      if (failed) return fail("the source shows no databases: " + to_text(reply.error));
      if (const Result<void> read = rows_.apply(reply.result); !read)
        return fail("what the source says of its databases cannot be read: " +
                    read.error().to_string());
      return look();
    case Asked::kSchema: {
      if (failed) return fail("the source gives no schema: " + to_text(reply.error));
      Result<SchemaRef> schema = DatabaseSchema::from_json(reply.result);
      if (!schema) return fail("the schema cannot be read: " + schema.error().to_string());
      return ask_contents(std::move(*schema));
    }
    case Asked::kContents:
      return on_contents(reply);
    case Asked::kAware:
      return;
    case Asked::kPath:
      return on_path(reply);
    case Asked::kEcho:
      asked_sign_ = false;
      return;
  }
}

void RelayLink::on_notification(const JsonRpcMessage& message) {
  const JsonView params = message.params;
  if (params.empty()) return;
  const std::string_view database = database_of(params[0]);
  const bool is_own = database == database_;
  if (message.method == "update3" && is_own && params.size() == 3) {
    on_update(params[1], params[2]);
  } else if (message.method == "update2" && is_own && params.size() == 2) {
    on_update({}, params[1]);
  } else if (message.method == "update2" && database == "_Server" && params.size() == 2) {
    if (const Result<void> read = rows_.apply(params[1]); !read)
      return fail("what the source says of its databases cannot be read: " +
                  read.error().to_string());
    look();
  } else if (message.method == "monitor_canceled" && is_own) {
    // It was converted, or has gone; what "_Server" shows of its schema may be old.
    ++attempt_;
    waiting_.clear();
    enter(State::kIntroduction);
    request("get_schema", '[' + json_string(database_) + ']', Asked::kSchema);
  }
}

// --- what the source says of itself ---

std::string RelayLink::misfit(const std::optional<SourceRow>& row) {
  const std::int64_t now = port_.monotonic_ms();
  if (!row) return "the source does not serve this database";
  if (row->schema.empty()) return "the source has not got this database yet";
  if (!row->connected) return "the source is not connected to others that it depends on";
  if (!row->clustered) return "";
  if (cid_ && row->cid == cid_ && row->index < index_) {
    if (row->leader && !behind_ms_) behind_ms_ = now;
    return "the source is behind what another one has shown";
  }
  if (row->leader || sources_ == 1) {
    no_leader_ms_.reset();
    followed_ms_.reset();
    return "";
  }
  // Only the leader of a pair takes writes; any server of a cluster does, if there is no other way.
  if (!no_leader_ms_) no_leader_ms_ = now;
  if (now < *no_leader_ms_ + kSeekLeaderMs) return "the source is not the leader";
  if (!followed_ms_) followed_ms_ = now;
  return "";
}

void RelayLink::look() {
  const std::optional<SourceRow> row = rows_.find(database_);
  if (const std::string why = misfit(row); !why.empty()) {
    // A relay says so when it has waited for its own source.
    if (row && row->relay && !row->connected && sources_ == 1) tell_lost();
    return leave(why);
  }
  behind_ms_.reset();
  if (row->clustered) {
    cid_ = row->cid;
    index_ = row->index;
  }
  switch (state_) {
    case State::kIntroduction:
    case State::kWaiting: {
      Result<SchemaRef> schema = DatabaseSchema::from_text(row->schema);
      if (!schema) return fail("the schema cannot be read: " + schema.error().to_string());
      return ask_contents(std::move(*schema));
    }
    case State::kCurrent:
      lost_ms_.reset();
      if (!std::exchange(connected_, true)) copy_.set_connected(true);
      return;
    case State::kContents:
    case State::kDisconnected:
    case State::kFailed:
      return;
  }
}

}  // namespace tandem
