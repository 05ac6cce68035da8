#pragma once

#include <optional>
#include <string_view>

#include "server/logging/log.h"

namespace tandem::log {

/// Where lines go.
enum class Destination { kConsole, kSyslog, kFile };
inline constexpr std::size_t kDestinations = 3;

/// "OFF", "EMER", "ERR", "WARN", "INFO", "DBG".
std::string_view level_name(Level level);
/// "CONSOLE", "SYSLOG", "FILE".
std::string_view destination_name(Destination destination);
/// The severity of RFC 5424 that a level is reported with.
int syslog_severity(Level level);

/// Names in any case; nothing if there is no such level, destination, or facility (ovs-appctl(8),
/// vlog/set).
std::optional<Level> parse_level(std::string_view word);
std::optional<Destination> parse_destination(std::string_view word);
std::optional<int> parse_facility(std::string_view word);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace tandem::log
