#pragma once

// Tandem's stream on the wire, between a backup (it asks) and its active:
//
//   tandem_follow [db, {position, server_id, name, node?, file}]
//       -> {"mode": "resume", "position", "backup"?}    records after it follow, then live ones
//       -> {"mode": "compare", "position", "backup"?}   not in my history: ask again with your sums
//   tandem_follow [db, {position, server_id, name, node?, file, "buckets", "recent"}]
//       -> {"mode": "rows", "position", "epochs", "origin"?, "opened"?, "rows", "buckets",
//       "oldest",
//           "common"?}
//          so many rows of these buckets follow; they and yours outside make up the position
//   tandem_rows [db, <table-updates2>]         a part of them
//   tandem_record [db, {position, record, id?, durable?, ephemeral?}]   one commit
//   tandem_role [db, {"backup"}]               the server has become a backup, or active, behind
//   the
//                                              records that were sent before
//   tandem_lost [db]                           too slow, or the schema changed: ask anew
//   tandem_ack [db, position]                  from the backup: all records up to there are in its
//                                              log, and on its disk up to the last durable one; as
//                                              a request it is answered with the active's newest
//                                              position; one of what was never sent ends the
//                                              connection
//
// Request and reply have "version", too: the newest form of the stream that the backup speaks, and
// the form that the active goes on in, which is none that the other does not speak. Who says no
// version speaks 1. What one does not know in a message it passes over; a member or message that
// the other has to understand is a new version. docs/operating.md, "Versions", says what that is
// worth to operators.
//
// A connection that is no peer (server/session/authority.h) is answered "permission error", with
// "position" and "backup" as above: by them a backup decides whether to follow by monitor instead.
//
// A record travels as its exact text, so that the logs of both, and with them the digests, are
// equal. What ephemeral columns got in a commit rides beside it.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/text_source.h"
#include "replication/position.h"

namespace tandem {

/// The newest, and so far the only, form of the stream.
inline constexpr std::int64_t kStreamVersion = 1;

/// One commit of the active.
struct StreamRecord {
  Position position;   ///< after it
  Uuid id;             ///< its transaction id: position.digest, or that of a commit without record
  std::string record;  ///< the body in the log; empty: only ephemeral columns changed
  bool durable = false;   ///< acknowledged only when it is on the disk
  std::string ephemeral;  ///< <table-updates> of ephemeral columns, as JSON; empty: none

  /// Reads the second parameter of tandem_record.
  static Result<StreamRecord> from_json(JsonView value);
};

/// The text of a tandem_record. `ephemeral` is JSON, or empty.
std::string record_notification(std::string_view database, const Position& position, const Uuid& id,
                                std::string_view record, std::string_view ephemeral,
                                bool durable = false);

/// The text of a tandem_role.
std::string role_notification(std::string_view database, bool backup);
/// Reads its second parameter: whether the server is a backup.
Result<bool> role_from_json(JsonView value);

/// The second parameter of tandem_follow.
struct FollowRequest {
  Position position;
  Uuid server_id;            ///< the backup's own
  std::string name;          ///< of its host
  std::string node;          ///< of its node, for cluster managers; empty, and left out: not known
  std::string file;          ///< the database's there: with the host's name it tells copies apart
  std::string buckets;       ///< RowBuckets of what it holds, as JSON; empty: not yet asked for
  std::vector<Uuid> recent;  ///< with buckets: digests of its last positions, newest first

  void append_json(std::string& out) const;
  static Result<FollowRequest> from_json(JsonView value);
};

/// The result of tandem_follow.
struct FollowReply {
  enum class Mode : std::uint8_t {
    kResume,   ///< the records after the position asked for follow
    kCompare,  ///< ask again with buckets
    kRows,     ///< rows follow
  };
  Mode mode = Mode::kResume;
  Position position;    ///< kRows: of the snapshot; else the newest
  bool backup = false;  ///< not kRows: the server is itself a backup
  std::uint64_t rows = 0;
  std::vector<Position> epochs;    ///< kRows: of the snapshot's Standing
  std::optional<Uuid> origin;      ///< kRows: the same; old versions do not tell it,
  std::int64_t opened_ms = 0;      ///< nor this
  std::string buckets;             ///< kRows: BucketScope, as JSON
  Position oldest;                 ///< kRows: the oldest in the active's history
  std::optional<Position> common;  ///< kRows: the newest of `recent` that the active knows

  void append_json(std::string& out) const;
  static Result<FollowReply> from_json(JsonView value);
  /// The position that a "permission error" tells, as the reply kCompare tells it.
  static Result<FollowReply> from_refusal(JsonView error);
};

/// The text of a commit, made when the first follower needs it. Any thread.
class StreamText {
 public:
  /// `bytes`: about the size of what `make` gives.
  StreamText(std::function<std::string()> make, std::size_t bytes)
      : make_(std::move(make)), bytes_(bytes) {}
  const SharedText& text() const {
    std::call_once(once_, [this] { text_ = std::make_shared<const std::string>(make_()); });
    return text_;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::function<std::string()> make_;
  std::size_t bytes_;
  mutable std::once_flag once_;
  mutable SharedText text_;
};
using StreamTextRef = std::shared_ptr<const StreamText>;

}  // namespace tandem
