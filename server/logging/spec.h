#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "server/logging/level.h"

namespace tandem::log {

/// "raft:file:dbg": what is not named is meant altogether.
struct LevelSpec {
  std::optional<std::string> module;
  std::optional<Destination> destination;
  Level level = Level::kDbg;
};

/// "PATTERN:DESTINATION:PATTERN"; no destination: any.
struct PatternSpec {
  std::optional<Destination> destination;
  std::string pattern;
};

/// "FACILITY:F", as its number.
struct FacilitySpec {
  int facility = 0;
};

/// A spec that cannot be read, with the text that ovsdb-server has for it.
struct BadSpec {
  std::string reason;
};

using Spec = std::variant<LevelSpec, PatternSpec, FacilitySpec, BadSpec>;

/// Reads the argument of -v and of vlog/set (ovsdb-server(1), Logging Options). `is_module` knows
/// the modules' names.
Spec parse_spec(std::string_view text, const std::function<bool(std::string_view)>& is_module);

}  // namespace tandem::log
