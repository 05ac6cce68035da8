// The follower's side of Tandem's stream.

#include <utility>

#include "protocol/json/json_reader.h"
#include "replication/error_tag.h"
#include "replication/follower.h"

namespace tandem {

/// A pair that leaves tables out cannot have equal logs.
bool Follower::can_stream() const {
  for (TableIndex table = 0; table < replica_.schema()->tables().size(); ++table) {
    if (replica_.excluded(table)) return false;
  }
  return true;
}

void Follower::start_stream() {
  replica_.standing([this, attempt = attempt_](const Standing& standing) {
    if (attempt != attempt_) return;
    standing_ = standing;
    status_.applied = standing.position;
    port_.handed_on(status_.applied.height());
    follow(introduction());
  });
}

FollowRequest Follower::introduction() const {
  FollowRequest request;
  request.position = status_.applied;
  request.server_id = identity_.server_id;
  request.name = identity_.host;
  request.node = identity_.node;
  request.file = replica_.file();
  return request;
}

void Follower::follow(const FollowRequest& request) {
  port_.request("tandem_follow", params(to_text(request)), kFollowReply);
}

void Follower::on_follow_reply(const JsonRpcMessage& message) {
  if (message.kind == JsonRpcMessage::Kind::kError) {
    if (is_error(message.error, "unknown method")) {
      status_.stream_refused.clear();
      start_monitor();
    } else if (is_error(message.error, "permission error")) {
      on_stream_refused(message.error);
    } else {
      refuse("the active server answered with an error: " + to_text(message.error));
    }
    return;
  }
  const Result<FollowReply> read = FollowReply::from_json(message.result);
  if (!read) return fail(read.error().to_string());
  const FollowReply& reply = read.value();
  status_.mode = FollowerStatus::Mode::kStream;
  status_.stream_refused.clear();
  if (!may_follow(reply)) return;
  if (reply.mode != FollowReply::Mode::kRows) status_.source_is_read_only = reply.backup;
  if (!is_believable(status_.applied, reply.position))
    return fail("it says to stand at " + reply.position.to_string() + ", which cannot be");
  const bool compared = status_.state == FollowerStatus::State::kResyncing;
  if ((reply.mode == FollowReply::Mode::kCompare && compared) ||
      (reply.mode == FollowReply::Mode::kRows && !compared))
    return fail("the reply to tandem_follow does not answer what was asked");
  status_.announced = reply.position;
  switch (reply.mode) {
    case FollowReply::Mode::kResume:
      ++status_.resumes;
      port_.log_info(database_ + ": following the active server from " +
                     status_.applied.to_string());
      enter(FollowerStatus::State::kReplicating);
      aim_at(reply.position);
      make_durable();
      return;
    case FollowReply::Mode::kCompare:
      enter(FollowerStatus::State::kResyncing);
      compare();
      return;
    case FollowReply::Mode::kRows:
      begin_rows(reply);
      return;
  }
}

bool Follower::may_follow(const FollowReply& reply) {
  if (reply.position.epoch < identity_.least_epoch) {
    refuse("its epoch is older than that of the last promotion: it is no longer the active",
           kRetryOlderMs);
    return false;
  }
  if (reply.mode != FollowReply::Mode::kCompare || !is_older_copy(reply)) return true;
  refuse("it is a backup too, and its copy is older: waiting until it has caught up",
         kRetryOlderMs);
  return false;
}

/// This connection is not one for backups. Its remote may still be read, unless the active is too
/// far behind to be followed at all: the error tells its position.
void Follower::on_stream_refused(JsonView error) {
  const std::string text = to_text(error);
  if (std::exchange(status_.stream_refused, text) != text)
    port_.log_info(database_ +
                   ": the active server gives no stream, following by monitor: " + text);
  const Result<FollowReply> standing = FollowReply::from_refusal(error);
  if (standing ? !may_follow(standing.value()) : identity_.least_epoch != Epoch{}) {
    if (!standing) refuse("the active server does not tell its epoch: " + text);
    return;
  }
  start_monitor();
}

void Follower::compare() {
  port_.log_info(database_ + ": " + status_.applied.to_string() +
                 " is not in the active server's history; comparing rows");
  replica_.holdings([this, attempt = attempt_](Replica::Holdings holdings) {
    if (attempt != attempt_) return;
    FollowRequest request = introduction();
    request.buckets = std::move(holdings.buckets);
    request.recent = std::move(holdings.recent);
    follow(request);
  });
}

void Follower::begin_rows(const FollowReply& reply) {
  const JsonDocument buckets = parse_json(reply.buckets).value();
  Result<BucketScope> scope = BucketScope::from_json(*replica_.schema(), buckets);
  if (!scope) return fail(scope.error().to_string());
  scope_ = std::move(scope.value());
  resync_ = reply;
  status_.rows = 0;
  status_.rows_total = reply.rows;
  status_.rows_since_ms = port_.monotonic_ms();
  enter(FollowerStatus::State::kResyncing);
  if (status_.rows == status_.rows_total) end_rows();
}

void Follower::on_rows(JsonView rows) {
  heard();
  // Without a scope these are rows of an attempt that was given up.
  if (!scope_ || status_.rows == status_.rows_total) return;
  Result<std::vector<RowUpdate>> read =
      table_updates_from_json(*replica_.schema(), MonitorVersion::kUpdate2, rows);
  if (!read) return fail("rows cannot be read: " + read.error().to_string());
  for (const RowUpdate& row : read.value()) {
    if (!scope_->contains(row.table, row.uuid))
      return fail("a row came that was not asked for: " + row.uuid.to_string() + " of table " +
                  replica_.schema()->table(row.table).name);
  }
  status_.rows += read.value().size();
  if (!read.value().empty()) progress_ms_ = port_.monotonic_ms();
  rows_.insert(rows_.end(), std::make_move_iterator(read.value().begin()),
               std::make_move_iterator(read.value().end()));
  if (status_.rows > status_.rows_total) return fail("more rows came than were announced");
  port_.changed();
  if (status_.rows == status_.rows_total) end_rows();
}

/// The other one is a backup, too, and may follow us: the more advanced copy waits for it.
bool Follower::is_older_copy(const FollowReply& reply) const {
  return reply.backup && outranks(status_.applied.copy(), reply.position.copy());
}

/// Our position is not in the active's history. If an earlier one is, or ours should be, we have
/// records that the active has not; otherwise its history does not reach back so far, and epochs
/// tell.
std::optional<Fork> Follower::fork() const {
  if (status_.applied.index == 0) return std::nullopt;
  if (resync_.common) {
    if (resync_.common->digest == status_.applied.digest) return std::nullopt;
    return Fork{resync_.common->index, resync_.common->digest};
  }
  const std::optional<Fork> fork = find_fork(standing_, {resync_.position, resync_.epochs});
  if (!fork && !(status_.applied < resync_.oldest)) return Fork{};
  return fork;
}

void Follower::end_rows() {
  const std::optional<Fork> parted = fork();
  // Where all rows are equal nothing is lost, however they came to be so.
  if (!parted || aside_ == status_.applied || scope_->is_empty()) {
    take_over_rows();
    return;
  }
  replica_.set_aside(*parted, [this, attempt = attempt_](const Result<Replica::Aside>& aside) {
    if (attempt != attempt_) return;
    if (!aside) {
      return fail("records that the active server does not have could not be saved: " +
                  aside.error().to_string());
    }
    aside_ = status_.applied;
    ++status_.divergences;
    status_.records_aside += aside.value().records;
    status_.divergence_file = aside.value().file;
    port_.log_info(database_ + ": the active server does not have the last " +
                   std::to_string(aside.value().records) +
                   " records of this server; they were saved to " + aside.value().file);
    take_over_rows();
  });
}

void Follower::take_over_rows() {
  replica_.resync_to(
      {resync_.position, resync_.epochs, resync_.origin, resync_.opened_ms}, *scope_,
      std::exchange(rows_, {}), [this, attempt = attempt_](const Result<void>& applied) {
        if (attempt != attempt_) return;
        if (!applied)
          return fail("its contents could not be applied: " + applied.error().to_string());
        failures_ = 0;
        ++status_.resyncs;
        status_.applied = resync_.position;
        port_.handed_on(status_.applied.height());
        scope_.reset();
        port_.log_info(database_ + ": equal to the active server at " +
                       status_.applied.to_string());
        enter(FollowerStatus::State::kReplicating);
        aim_at(status_.applied);
        make_durable();
        for (StreamRecord& record : std::exchange(after_rows_, {})) append(std::move(record));
      });
}

void Follower::on_record(JsonView message) {
  heard();
  if (status_.mode != FollowerStatus::Mode::kStream) return;
  const bool live = status_.state == FollowerStatus::State::kReplicating;
  if (!live && !scope_) return;  // of an attempt that was given up
  Result<StreamRecord> record = StreamRecord::from_json(message);
  if (!record) return fail("a record cannot be read: " + record.error().to_string());
  if (!is_believable(status_.applied, record.value().position)) {
    return fail("a record leads to " + record.value().position.to_string() + ", which cannot be");
  }
  status_.announced = record.value().position;
  if (live) {
    append(std::move(record.value()));
  } else {
    after_rows_.push_back(std::move(record.value()));
  }
}

void Follower::on_role(JsonView message) {
  heard();
  if (status_.mode != FollowerStatus::Mode::kStream) return;
  const Result<bool> backup = role_from_json(message);
  if (!backup) return fail("its role cannot be read: " + backup.error().to_string());
  status_.source_is_read_only = backup.value();
  port_.changed();
}

void Follower::append(StreamRecord record) {
  const Position position = record.position;
  const bool durable = record.durable;
  arrivals_ms_.push_back(port_.monotonic_ms());
  status_.behind_since_ms = arrivals_ms_.front();
  replica_.append(std::move(record), [this, position, durable, attempt = attempt_](
                                         const Result<void>& appended, bool more) {
    if (attempt != attempt_) return;
    if (!appended) {
      // What we hold is not what the active thinks, or cannot be written.
      return fail("a record could not be applied: " + appended.error().to_string());
    }
    failures_ = 0;
    ++status_.commits;
    // Only an active opens an epoch, so there is one: the source, or the server that it follows.
    if (position.epoch > status_.applied.epoch) {
      goal_ = position.index;
      status_.source_is_read_only = false;
    }
    status_.applied = position;
    arrivals_ms_.pop_front();
    status_.behind_since_ms.reset();
    if (!arrivals_ms_.empty()) status_.behind_since_ms = arrivals_ms_.front();
    unsynced_ = unsynced_ || durable;
    if (!more) acknowledge();
  });
  port_.handed_on(position.height());
}

void Follower::acknowledge() {
  if (is_syncing_) return;  // make_durable() goes on when it is done
  if (unsynced_ || has_reached(status_.applied)) return make_durable();
  acknowledged_ = status_.applied;
  port_.notify("tandem_ack", params(to_text(*acknowledged_)));
}

/// Acknowledges what is applied when it is on the disk. Also at the start: nobody knows what an
/// earlier connection or process had left unsynced.
void Follower::make_durable() {
  unsynced_ = false;
  is_syncing_ = true;
  replica_.make_durable(
      [this, position = status_.applied, attempt = attempt_](const Result<void>& synced) {
        if (attempt != attempt_) return;
        if (!synced) return fail("its records could not be synced: " + synced.error().to_string());
        is_syncing_ = false;
        acknowledged_ = position;
        port_.notify("tandem_ack", params(to_text(*acknowledged_)));
        if (has_reached(position)) caught_up();
        if (status_.applied != position) acknowledge();
      });
}

/// A damaged copy is whole again when it has what the active has now. A source that is a backup
/// sets no such goal: it may have less than this copy once had.
void Follower::aim_at(const Position& position) {
  if (!status_.source_is_read_only) goal_ = position.index;
}

bool Follower::has_reached(const Position& position) const {
  return goal_ && position.index >= *goal_;
}

void Follower::caught_up() {
  goal_.reset();
  replica_.caught_up([this, attempt = attempt_](const Result<void>& done) {
    if (attempt == attempt_ && !done)
      fail("the damaged file could not be set aside: " + done.error().to_string());
  });
}

void Follower::on_lost() {
  heard();
  if (status_.mode != FollowerStatus::Mode::kStream) return;
  port_.log_info(database_ + ": fell behind the active server, or its schema changed; asking anew");
  ask_schema();
}

}  // namespace tandem
