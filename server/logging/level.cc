#include "server/logging/level.h"

#include <strings.h>
#include <syslog.h>

#include <array>

namespace tandem::log {

namespace {

constexpr std::array<std::string_view, 6> kLevelNames = {"OFF",  "EMER", "ERR",
                                                         "WARN", "INFO", "DBG"};
constexpr std::array<std::string_view, kDestinations> kDestinationNames = {"CONSOLE", "SYSLOG",
                                                                           "FILE"};

/// Indexed by facility number; 10 (authpriv) has no name here.
constexpr std::array<std::string_view, 24> kFacilityNames = {
    "kern",   "user",   "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "clock",  "",       "ftp",    "ntp",    "audit",  "alert",  "clock2",
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"};

template <std::size_t N>
std::optional<std::size_t> find_name(const std::array<std::string_view, N>& names,
                                     std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (!names[i].empty() && equal_ignoring_case(names[i], word)) return i;
  }
  return std::nullopt;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view level_name(Level level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::string_view destination_name(Destination destination) {
  return kDestinationNames[static_cast<std::size_t>(destination)];
}

int syslog_severity(Level level) {
  switch (level) {
    case Level::kOff:
    case Level::kEmer:
      return LOG_ALERT;
    case Level::kErr:
      return LOG_ERR;
    case Level::kWarn:
      return LOG_WARNING;
    case Level::kInfo:
      return LOG_NOTICE;
    case Level::kDbg:
      return LOG_DEBUG;
  }
  return LOG_DEBUG;
}

std::optional<Level> parse_level(std::string_view word) {
  const auto index = find_name(kLevelNames, word);
  return index ? std::optional(static_cast<Level>(*index)) : std::nullopt;
}

std::optional<Destination> parse_destination(std::string_view word) {
  const auto index = find_name(kDestinationNames, word);
  return index ? std::optional(static_cast<Destination>(*index)) : std::nullopt;
}

std::optional<int> parse_facility(std::string_view word) {
  const auto index = find_name(kFacilityNames, word);
  return index ? std::optional(static_cast<int>(*index)) : std::nullopt;
}

}  // namespace tandem::log
