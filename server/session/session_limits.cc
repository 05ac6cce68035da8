#include "server/session/session_limits.h"

#include <fmt/core.h>

namespace tandem {

std::string_view option_of(Limit limit) {
  switch (limit) {
    case Limit::kRequests:
      return "max-requests";
    case Limit::kUnsent:
      return "max-unsent";
    case Limit::kMonitors:
      return "max-monitors";
    case Limit::kClauses:
      return "max-clauses";
    case Limit::kLocks:
      return "max-locks";
    case Limit::kWaits:
      return "max-waits";
    case Limit::kKept:
      return "max-kept";
    case Limit::kMessageSize:
      return "max-message-size";
    case Limit::kFirstMessageSize:
      return "max-first-message-size";
  }
  return "";
}

std::size_t value_of(const SessionLimits& limits, Limit limit) {
  switch (limit) {
    case Limit::kRequests:
      return limits.requests;
    case Limit::kUnsent:
      return limits.unsent_bytes;
    case Limit::kMonitors:
      return limits.monitors;
    case Limit::kClauses:
      return limits.clauses;
    case Limit::kLocks:
      return limits.locks;
    case Limit::kWaits:
      return limits.waits;
    case Limit::kKept:
      return limits.kept_bytes;
    case Limit::kMessageSize:
      return limits.message_bytes;
    case Limit::kFirstMessageSize:
      return limits.first_message_bytes;
  }
  return 0;
}

Error limit_error(const SessionLimits& limits, Limit limit) {
  return Error{"resources exhausted",
               fmt::format("the client has met the server's limit --{}={}", option_of(limit),
                           value_of(limits, limit)),
               std::nullopt};
}

void LimitCounts::add(Limit limit, LimitsMet& by) {
  const auto index = static_cast<std::size_t>(limit);
  counters_[index].times.fetch_add(1, std::memory_order_relaxed);
  if (by.test(index)) return;
  by.set(index);
  counters_[index].connections.fetch_add(1, std::memory_order_relaxed);
}

LimitCounts::Count LimitCounts::of(Limit limit) const {
  const Counter& counter = counters_[static_cast<std::size_t>(limit)];
  return {counter.times.load(std::memory_order_relaxed),
          counter.connections.load(std::memory_order_relaxed)};
}

}  // namespace tandem
