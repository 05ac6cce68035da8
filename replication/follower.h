#pragma once

// One database of a backup, following an active over a connection that its ActiveLink keeps: by
// Tandem's stream (replication/stream.h) if the active knows it and no table is excluded, otherwise
// as a monitor of RFC 7047.
// Sans-IO: replies and notifications come in as calls, requests and row changes go out through
// FollowerPort and Replica. Every reply that the state does not expect is an error that is shown;
// no error ever ends in anything but a backup.

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/jsonrpc.h"
#include "replication/follower_status.h"
#include "replication/replica.h"

namespace tandem {

/// The way to the active, as a follower sees it.
class FollowerPort {
 public:
  virtual ~FollowerPort() = default;
  /// Sends a request; its reply comes back through Follower::on_reply() with the same tag.
  /// `params` is JSON.
  virtual void request(std::string_view method, std::string_view params, int tag) = 0;
  virtual void notify(std::string_view method, std::string_view params) = 0;
  /// The connection is of no more use, e.g. the active sent what cannot be right: it is closed and
  /// made anew later.
  virtual void restart(const std::string& reason) = 0;
  virtual std::int64_t monotonic_ms() const = 0;
  /// The status has changed.
  virtual void changed() = 0;
  /// Stream: the copy has all records up to this one, or has been handed them.
  virtual void handed_on(const Height& height) = 0;
  // For people.
  virtual void log_info(const std::string& text) = 0;
  virtual void log_warn(const std::string& text) = 0;
  /// Whether and why the database can be replicated; said once, not once a connection.
  virtual void log_finding(const std::string& database, const std::string& finding) = 0;
};

/// Who a backup says it is.
struct BackupIdentity {
  Uuid server_id;
  std::string host;
  std::string node{};   ///< as the cluster manager calls it; empty: not known
  Epoch least_epoch{};  ///< whoever is at an older one is no longer the active
};

class Follower {
 public:
  Follower(std::string database, Replica& replica, FollowerPort& port,
           const BackupIdentity& identity);

  const std::string& database() const { return database_; }
  const FollowerStatus& status() const { return status_; }
  /// The id of its monitor, as ovsdb-server's own backups choose it: the database's name.
  JsonId monitor_id() const { return JsonId::of_string(database_); }

  /// The connection is up, and the active serves the database or not.
  void on_connected(bool served);
  void on_disconnected(const std::string& reason);
  /// The reply to a request that was made in that attempt.
  void on_reply(int tag, std::uint64_t attempt, const JsonRpcMessage& reply);
  std::uint64_t attempt() const { return attempt_; }
  /// "update" for monitor_id().
  void on_update(JsonView updates);
  // What the stream brings, without the database's name.
  void on_record(JsonView record);
  void on_rows(JsonView rows);
  void on_role(JsonView role);
  void on_lost();
  /// Several times a second: what was refused is tried again; the active is asked for a sign of
  /// life.
  void tick();
  /// Cannot be followed, for a reason that concerns the whole link.
  void refuse(const std::string& reason, std::int64_t retry_ms = kRetryRefusedMs);

 private:
  enum Tag { kSchemaReply, kMonitorReply, kFollowReply, kSignReply };

  static constexpr std::int64_t kRetryRefusedMs = 10'000;
  static constexpr std::int64_t kRetryOlderMs = 500;
  static constexpr std::int64_t kAskSignMs = 1000;
  static constexpr std::int64_t kDelayMs = 100;  // doubled at each failure in a row
  static constexpr std::int64_t kMaxDelayMs = 5000;
  static constexpr std::int64_t kStaleMs = 3000;
  static constexpr std::int64_t kNoProgressMs = 300'000;  // a whole database may be one message

  void drop_attempt();
  void ask_schema();
  void on_schema(const JsonRpcMessage& reply);
  void start_monitor();
  void on_contents(const JsonRpcMessage& reply);
  /// Whether there are rows among them that were not asked for.
  bool concerns_excluded(const std::vector<RowUpdate>& updates) const;
  void heard();
  void ask_sign();
  /// The attempt cannot go on; the next one takes a new connection.
  void fail(const std::string& reason);
  void restart();

  // follower_stream.cc
  bool can_stream() const;
  void start_stream();
  /// Who asks to follow, and from where on.
  FollowRequest introduction() const;
  void follow(const FollowRequest& request);
  /// Params that begin with the database's name; `others` is JSON, too.
  std::string params(std::string_view others = "") const;
  void on_follow_reply(const JsonRpcMessage& reply);
  void on_stream_refused(JsonView error);
  /// False after the active was refused for its position.
  bool may_follow(const FollowReply& reply);
  void compare();
  void begin_rows(const FollowReply& reply);
  void end_rows();
  bool is_older_copy(const FollowReply& reply) const;
  std::optional<Fork> fork() const;
  void take_over_rows();
  void append(StreamRecord record);
  void acknowledge();
  void aim_at(const Position& position);
  bool has_reached(const Position& position) const;
  void caught_up();
  void make_durable();
  void apply(std::vector<RowUpdate> updates);
  /// Runs with the outcome of a resync or an update that began in this connection; late ones are
  /// dropped.
  Replica::Done when_applied(bool resync);
  void enter(FollowerStatus::State state);

  const std::string database_;
  Replica& replica_;
  FollowerPort& port_;
  FollowerStatus status_;
  const BackupIdentity& identity_;
  std::uint64_t attempt_ = 0;     // counts them, so that late outcomes and replies are known
  std::int64_t progress_ms_ = 0;  // when the attempt last came forward
  std::vector<std::vector<RowUpdate>>
      waiting_;  // updates that came while the contents were being compared
  SchemaRef active_schema_;
  std::string refused_for_;    // the reason that was logged; empty when it was followed since
  std::int64_t retry_ms_ = 0;  // after so long what was refused is tried again
  int failures_ = 0;           // in a row
  std::optional<std::int64_t> restart_ms_;  // when the connection is to be given up for a failure
  bool asked_sign_ = false;                 // and no answer yet
  std::int64_t asked_sign_ms_ = 0;

  Standing standing_;                     // when the stream was asked for
  std::optional<Position> acknowledged_;  // in this attempt
  std::deque<std::int64_t> arrivals_ms_;  // of the records that are being written
  std::optional<std::uint64_t> goal_;     // index that the active had at the start; not reached yet
  bool unsynced_ = false;                // written, but to be on the disk before it is acknowledged
  bool is_syncing_ = false;              // acknowledgements wait
  FollowReply resync_;                   // while rows come: where they lead
  std::optional<BucketScope> scope_;     // set while rows come, and are compared
  std::optional<Position> aside_;        // records up to here were set aside already
  std::vector<RowUpdate> rows_;          // received so far
  std::deque<StreamRecord> after_rows_;  // records that came while rows did, or were compared
};

}  // namespace tandem
