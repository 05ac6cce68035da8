#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem::control {

struct ServerStatus;

/// Something that happened, as an operator would want to be told. A value.
struct Event {
  enum class Kind : std::uint8_t {
    kRole,
    kBackup,       ///< a backup came, went, fell behind or caught up
    kGate,         ///< commits were acknowledged that too few backups have
    kReplication,  ///< of this copy, as a backup
    kRemote,
    kLimit,
    kConcern,  ///< began or ended
  };
  static constexpr std::size_t kKinds = 7;

  Kind kind;
  std::int64_t at_ms = 0;  ///< monotonic
  std::string text;
  bool warning = false;
  bool told_elsewhere = false;  ///< the log has it already, from where it happened
};

/// What happened between two looks at a server, in order of databases. What came and went in
/// between shows in counters, and in connections that are others.
std::vector<Event> events_between(const ServerStatus& before, const ServerStatus& now);

}  // namespace tandem::control
