#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ocf/agent/decision/settings.h"
#include "protocol/uuid.h"
#include "replication/position.h"

namespace tandem::agent {

/// What an instance holds of both databases, as far as it is known. A value.
struct Copy {
  struct Database {
    Height height{};
    std::optional<Uuid> digest{};
    bool in_sync = false;  ///< had everything when an active was last heard
    bool operator==(const Database&) const = default;
  };
  /// Nothing of a database whose server has no position to tell, as a stock one.
  Pair<std::optional<Database>> databases;

  bool is_known() const { return databases[Which::kNb] && databases[Which::kSb]; }
  bool is_whole() const {
    return is_known() && databases[Which::kNb]->in_sync && databases[Which::kSb]->in_sync;
  }
  /// "nb 5 100, sb 5 90", for people.
  std::string to_string() const;
  bool operator==(const Copy&) const = default;
};

enum class Comparison : std::uint8_t {
  kLevel,   ///< neither has more, as far as can be told
  kAhead,   ///< better: promoting the other would lose what it has
  kBehind,  ///< the other is better
};

/// How `a` stands beside `b`, by replication/copy_order.h. Two that have parted are told apart as
/// choose() does there. One of which a database is not known is level with all.
Comparison compare(const Copy& a, const Copy& b);

}  // namespace tandem::agent
