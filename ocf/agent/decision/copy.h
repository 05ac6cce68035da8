#pragma once

#include <optional>
#include <string>

#include "ocf/agent/decision/settings.h"
#include "protocol/uuid.h"
#include "replication/position.h"

namespace tandem::agent {

/// An instance's copies of both databases, as far as they are known. A value.
struct Copy {
  struct Database {
    Height height{};
    std::optional<Uuid> digest{};
    bool in_sync = false;  ///< had everything when an active was last heard; or was the active's
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

/// Is `a` to be promoted rather than `b`? By replication/copy_order.h: it is ahead, or they have
/// parted, and choose() prefers it. One of which a database is not known is no better than another,
/// nor worse.
bool is_better(const Copy& a, const Copy& b);

/// Is nothing of `b` lost if `a` is promoted? True if either is not known.
bool has_all_of(const Copy& a, const Copy& b);

/// The same of one database. False if either is not known.
bool has_all_of(const Copy& a, const Copy& b, Which which);

}  // namespace tandem::agent
