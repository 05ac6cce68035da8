#include "replication/follower.h"

#include <algorithm>
#include <utility>

#include "protocol/json/member_writer.h"
#include "replication/schema_match.h"

namespace tandem {

Follower::Follower(std::string database, Replica& replica, FollowerPort& port,
                   const BackupIdentity& identity)
    : database_(std::move(database)), replica_(replica), port_(port), identity_(identity) {}

void Follower::enter(FollowerStatus::State state) {
  if (state == FollowerStatus::State::kReplicating) refused_for_.clear();
  status_.state = state;
  progress_ms_ = port_.monotonic_ms();
  port_.changed();
}

void Follower::refuse(const std::string& reason, std::int64_t retry_ms) {
  // Said once, not once an attempt.
  if (std::exchange(refused_for_, reason) != reason)
    port_.log_info(database_ + ": cannot be replicated now: " + reason);
  status_.error = reason;
  status_.error_ms = port_.monotonic_ms();
  retry_ms_ = retry_ms;
  enter(FollowerStatus::State::kRefused);
}

std::string Follower::params(std::string_view others) const {
  std::string params = "[";
  append_json_string(params, database_);
  if (!others.empty()) params.append(",").append(others);
  return params += ']';
}

void Follower::on_connected(bool served) {
  heard();
  asked_sign_ = false;
  if (!served) {
    refuse("the active server does not serve this database");
    return;
  }
  ask_schema();
}

void Follower::heard() {
  status_.heard_ms = port_.monotonic_ms();
  status_.stale = false;
}

void Follower::fail(const std::string& reason) {
  drop_attempt();
  refuse(reason);
  // What fails again and again (a full disk, a value that does not fit here) waits ever longer:
  // other databases on the connection have to start anew, too.
  const std::int64_t delay_ms = failures_ < 2 ? 0 : std::min(kMaxDelayMs, kDelayMs << failures_);
  failures_ = std::min(failures_ + 1, 10);
  restart_ms_ = port_.monotonic_ms() + delay_ms;
  if (delay_ms == 0) restart();
}

void Follower::restart() {
  restart_ms_.reset();
  port_.restart(status_.error);
}

/// Outcomes and messages of what went before are of no more interest.
void Follower::drop_attempt() {
  ++attempt_;
  waiting_.clear();
  scope_.reset();
  rows_.clear();
  after_rows_.clear();
  arrivals_ms_.clear();
  status_.behind_since_ms.reset();
  status_.rows = status_.rows_total = 0;
  goal_.reset();
  unsynced_ = false;
  is_syncing_ = false;
  acknowledged_.reset();
  status_.mode = FollowerStatus::Mode::kNone;
}

void Follower::ask_schema() {
  drop_attempt();
  enter(FollowerStatus::State::kNegotiating);
  port_.request("get_schema", params(), kSchemaReply);
}

void Follower::tick() {
  if (restart_ms_) {
    if (*restart_ms_ <= port_.monotonic_ms()) restart();
    return;
  }
  // What was refused has begun nothing on the connection, so it is asked for on the same one. What
  // fails later takes a new one: restart().
  if (status_.state == FollowerStatus::State::kRefused &&
      status_.error_ms + retry_ms_ <= port_.monotonic_ms()) {
    ask_schema();
  }
  if (status_.state == FollowerStatus::State::kReplicating) ask_sign();
  const bool on_the_way = status_.state == FollowerStatus::State::kNegotiating ||
                          status_.state == FollowerStatus::State::kResyncing;
  if (on_the_way && progress_ms_ + kNoProgressMs <= port_.monotonic_ms())
    fail("the active server went on answering, but did not go on with this database");
}

void Follower::ask_sign() {
  const std::int64_t now = port_.monotonic_ms();
  if (now - status_.heard_ms.value_or(now) >= kStaleMs) status_.stale = true;
  if (asked_sign_ || now - asked_sign_ms_ < kAskSignMs) return;
  asked_sign_ = true;
  asked_sign_ms_ = now;
  if (acknowledged_) {
    port_.request("tandem_ack", params(to_text(*acknowledged_)), kSignReply);
  } else {
    port_.request("echo", "[]", kSignReply);
  }
}

void Follower::on_disconnected(const std::string& reason) {
  drop_attempt();
  restart_ms_.reset();
  status_.stale = false;
  if (!reason.empty()) {
    status_.error = reason;
    status_.error_ms = port_.monotonic_ms();
  }
  enter(FollowerStatus::State::kConnecting);
}

void Follower::on_reply(int tag, std::uint64_t attempt, const JsonRpcMessage& reply) {
  heard();
  if (tag != kSignReply && attempt != attempt_) return;  // to what was given up
  if (tag == kFollowReply) {
    on_follow_reply(reply);
    return;
  }
  if (tag == kSignReply) {
    asked_sign_ = false;
    if (const Result<Position> newest = Position::from_json(reply.result);
        newest && status_.mode == FollowerStatus::Mode::kStream) {
      status_.announced = newest.value();
      // Records that are still on their way.
      if (status_.lag_records() > 0 && !status_.behind_since_ms)
        status_.behind_since_ms = status_.heard_ms;
    }
    return;
  }
  if (reply.kind == JsonRpcMessage::Kind::kError) {
    refuse("the active server answered with an error: " + to_text(reply.error));
    return;
  }
  switch (static_cast<Tag>(tag)) {
    case kSchemaReply:
      on_schema(reply);
      return;
    case kMonitorReply:
      on_contents(reply);
      return;
    case kFollowReply:
    case kSignReply:
      return;  // handled above
  }
}

void Follower::on_schema(const JsonRpcMessage& reply) {
  const Result<SchemaRef> schema = DatabaseSchema::from_json(reply.result);
  if (!schema) {
    refuse("the active server's schema cannot be read: " + schema.error().to_string());
    return;
  }
  const DatabaseSchema& active = *schema.value();
  const DatabaseSchema& backup = *replica_.schema();
  const SchemaMatch match = match_schemas(active, backup);
  if (!match.same) {
    port_.log_finding(database_, match.can_replicate() ? database_ + " can be replicated"
                                                       : database_ + " cannot be replicated");
  }
  active_schema_ = schema.value();
  if (!match.can_replicate() && replica_.adopts_schemas()) {
    port_.log_info(database_ + ": taking over the active server's schema, which has " +
                   match.missing_text());
    replica_.adopt(schema.value(), [this, attempt = attempt_](const Result<void>& adopted) {
      if (attempt == attempt_ && !adopted)
        refuse("its schema could not be taken over: " + adopted.error().to_string());
    });
    return;
  }
  if (!match.can_replicate()) {
    refuse("the active server's schema has what this server's has not: " + match.missing_text());
    return;
  }
  if (can_stream()) {
    start_stream();
  } else {
    start_monitor();
  }
}

void Follower::start_monitor() {
  // Only what the active has is asked for; more columns of ours keep their defaults.
  std::string requests = monitor_id().text() + ",{";
  MemberWriter tables(requests);
  for (const TableSchema& table : active_schema_->tables()) {
    if (!replica_.excluded(replica_.schema()->find_table(table.name).value()))
      tables.name(table.name) += "[{}]";
  }
  requests += '}';
  status_.mode = FollowerStatus::Mode::kMonitor;
  enter(FollowerStatus::State::kResyncing);
  port_.request("monitor", params(requests), kMonitorReply);
}

void Follower::on_contents(const JsonRpcMessage& reply) {
  Result<std::vector<RowUpdate>> rows =
      table_updates_from_json(*replica_.schema(), MonitorVersion::kUpdate, reply.result);
  if (!rows) {
    fail("the active server's contents cannot be read: " + rows.error().to_string());
    return;
  }
  if (concerns_excluded(rows.value()))
    return fail("the active server's contents have rows of a table that was not asked for");
  port_.log_info(database_ + ": Monitor reply received. Resetting the database.");
  replica_.resync(std::move(rows.value()), when_applied(true));
}

bool Follower::concerns_excluded(const std::vector<RowUpdate>& updates) const {
  return std::any_of(updates.begin(), updates.end(),
                     [this](const RowUpdate& update) { return replica_.excluded(update.table); });
}

void Follower::on_update(JsonView updates) {
  heard();
  if (status_.state == FollowerStatus::State::kRefused) return;
  Result<std::vector<RowUpdate>> read =
      table_updates_from_json(*replica_.schema(), MonitorVersion::kUpdate, updates);
  if (!read) {
    fail("an update cannot be read: " + read.error().to_string());
    return;
  }
  if (concerns_excluded(read.value()))
    return fail("an update has rows of a table that was not asked for");
  switch (status_.state) {
    case FollowerStatus::State::kResyncing:
      waiting_.push_back(std::move(read.value()));
      return;
    case FollowerStatus::State::kReplicating:
      apply(std::move(read.value()));
      return;
    case FollowerStatus::State::kConnecting:
    case FollowerStatus::State::kNegotiating:
    case FollowerStatus::State::kRefused:
      fail("an update came before it was asked for");
      return;
  }
}

void Follower::apply(std::vector<RowUpdate> updates) {
  replica_.apply(std::move(updates), when_applied(false));
}

Replica::Done Follower::when_applied(bool resync) {
  return [this, resync, attempt = attempt_](const Result<void>& applied) {
    if (attempt != attempt_) return;
    if (!applied) {
      // What we hold is not what the active thinks: start over with its contents.
      fail((resync ? "its contents" : "an update") + std::string(" could not be applied: ") +
           applied.error().to_string());
      return;
    }
    failures_ = 0;
    if (!resync) {
      ++status_.commits;
      return;
    }
    ++status_.resyncs;
    enter(FollowerStatus::State::kReplicating);
    for (std::vector<RowUpdate>& updates : std::exchange(waiting_, {})) apply(std::move(updates));
  };
}

}  // namespace tandem
