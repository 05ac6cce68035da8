#pragma once

#include <ctime>
#include <string>
#include <string_view>

#include "server/logging/log.h"

namespace tandem::log {

/// What one log line can say about itself; the escapes of a pattern pick from it.
struct Line {
  std::string_view program;     ///< %A
  std::string_view host;        ///< %E
  std::string_view subprogram;  ///< %t and %T; empty in the main process
  std::string_view module;      ///< %c
  std::string_view message;     ///< %m
  Level level = Level::kInfo;   ///< %p
  int facility = 0;             ///< with the level: %B
  unsigned sequence = 0;        ///< %N
  int pid = 0;                  ///< %P
  long long uptime_ms = 0;      ///< %r
  std::timespec time{};         ///< %d and %D
};

/// Appends `line` in the form that `pattern` says (ovs-appctl(8), vlog/set PATTERN). An unknown
/// escape stands for its own letter; a pattern that ends within an escape ends there.
void append_line(std::string& out, std::string_view pattern, const Line& line);

}  // namespace tandem::log
