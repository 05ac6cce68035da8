#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/error.h"
#include "protocol/target.h"

namespace tandem {

/// Whose database a relay copies, and how it connects.
struct RelaySource {
  std::string text;             ///< as given: a remote, or several with commas
  std::vector<Target> targets;  ///< tried in turn; none: there is nobody to connect to
  std::int64_t probe_ms = 10'000;
  std::int64_t max_backoff_ms = 250;
  std::optional<int> dscp;

  /// Reads remotes with commas between them. Passive ones are left out: nobody connects to them.
  static Result<RelaySource> parse(std::string_view remotes);
};

/// A relay as it is named in the place of a database's file: "relay:DATABASE:REMOTE[,REMOTE...]".
struct RelayName {
  std::string database;
  RelaySource source;

  static bool is_one(std::string_view file) { return file.starts_with("relay:"); }
  /// Requires is_one().
  static Result<RelayName> parse(std::string_view file);
};

}  // namespace tandem
