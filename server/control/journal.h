#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/control/concern.h"
#include "server/control/event.h"
#include "server/control/lag_history.h"
#include "server/control/server_status.h"

namespace tandem::control {

/// Looks at the server again and again, and remembers what an operator would ask about: what has
/// happened, what lasts, how far backups were behind. Logs what nobody else does: events as they
/// come, concerns when they begin, every so often while they last, and when they end. Home's.
class Journal {
 public:
  static constexpr std::int64_t kLookMs = 1000;
  /// Events of one kind that are kept: strangers who come and go push out no change of role.
  static constexpr std::size_t kMostOfAKind = 20;

  void look(const ServerStatus& status);

  /// The newest first.
  std::vector<Event> events() const;
  /// Since when a concern lasts, monotonic; nothing: it has not been seen before.
  std::optional<std::int64_t> since(const Concern& concern) const;
  const LagHistory& lags() const { return lags_; }

 private:
  /// A concern that was there at the last look.
  struct Lasting {
    Concern concern;
    std::int64_t since_ms = 0;
    std::optional<std::int64_t> told_ms;  ///< when a line last told of it
  };

  void add(Event event);
  void look_at_concerns(const ServerStatus& status);
  void tell_of(Lasting& lasting, std::int64_t now_ms);
  void tell_end_of(const Lasting& lasting, std::int64_t now_ms);

  std::optional<ServerStatus> before_;
  std::map<std::string, Lasting> lasting_;  // by topic
  std::deque<Event> events_;                // the oldest first
  LagHistory lags_;
};

}  // namespace tandem::control
