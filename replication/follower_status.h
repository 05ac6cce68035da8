#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "replication/position.h"

namespace tandem {

/// How one backup database stands to its active, as status commands show it.
struct FollowerStatus {
  enum class State : std::uint8_t {
    kConnecting,   ///< no connection to the active
    kNegotiating,  ///< connected; asking what it is and has
    kResyncing,    ///< its contents are coming, or being compared with ours
    kReplicating,  ///< every commit of the active is applied as it comes
    kRefused,      ///< it cannot be followed as things are; `error` says why; tried again later
  };
  /// How the contents come.
  enum class Mode : std::uint8_t {
    kNone,     ///< not settled yet
    kStream,   ///< records as they stand in the active's log: Tandem
    kMonitor,  ///< RFC 7047 monitor: any server
  };
  State state = State::kConnecting;
  Mode mode = Mode::kNone;
  std::string error;                     ///< the last one; kept after recovery
  std::string stream_refused;            ///< why the active gives no stream; empty: it does
  std::int64_t error_ms = 0;             ///< when, monotonic; 0: never
  std::optional<std::int64_t> heard_ms;  ///< last word from the active, monotonic
  bool stale = false;  ///< replicating, but the active has been silent since `heard_ms`
  /// It has said that it is a backup, too, and nobody has been promoted since; of a relay's source,
  /// that it takes no writes.
  bool source_is_read_only = false;
  std::uint64_t resyncs = 0;  ///< whole contents compared, and the difference taken over
  std::uint64_t resumes = 0;  ///< connections that went on where the last one had ended
  std::uint64_t commits = 0;  ///< commits of the active applied one by one
  Position applied;           ///< stream: ours, applied and written
  Position announced;         ///< stream: the newest that the active has told of
  /// Stream: since when the oldest record that is not written here yet is known of, monotonic.
  std::optional<std::int64_t> behind_since_ms;
  std::uint64_t rows = 0;           ///< of the resync under way: rows received
  std::uint64_t rows_total = 0;     ///< of the resync under way: rows that differ or are compared
  std::int64_t rows_since_ms = 0;   ///< of the resync under way: when rows began to come, monotonic
  std::uint64_t divergences = 0;    ///< times that our history had parted from the active's
  std::uint64_t records_aside = 0;  ///< records set aside because of that
  std::string divergence_file;      ///< where the last ones went

  /// Is there an active server, as far as this one knows?
  bool knows_active() const {
    return state == State::kReplicating && !stale && !source_is_read_only;
  }
  /// Records that the active has told of and that are not written here yet.
  std::uint64_t lag_records() const {
    return announced.index > applied.index ? announced.index - applied.index : 0;
  }
  /// For how long a record that the active has told of has not been written here.
  std::int64_t lag_ms(std::int64_t now_ms) const {
    return behind_since_ms ? now_ms - *behind_since_ms : 0;
  }
  /// An estimate of what the resync under way still takes; nothing as long as no row has come.
  std::optional<std::int64_t> resync_left_ms(std::int64_t now_ms) const;
};

std::string_view to_string(FollowerStatus::State state);
std::string_view to_string(FollowerStatus::Mode mode);

}  // namespace tandem
