#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

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
    kMonitor,  ///< RFC 7047 monitor: any server
  };
  State state = State::kConnecting;
  Mode mode = Mode::kNone;
  std::string error;                     ///< the last one; kept after recovery
  std::int64_t error_ms = 0;             ///< when, monotonic; 0: never
  std::optional<std::int64_t> heard_ms;  ///< last word from the active, monotonic
  std::uint64_t resyncs = 0;             ///< whole contents taken over
  std::uint64_t commits = 0;             ///< commits of the active applied one by one
};

std::string_view to_string(FollowerStatus::State state);
std::string_view to_string(FollowerStatus::Mode mode);

}  // namespace tandem
