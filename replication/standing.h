#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/position.h"

namespace tandem {

/// Where a database stands, and by which promotions it came there. A copy that is too old to be
/// found in another's history is compared by these: each epoch has one writer, so who has no more
/// of the last epoch that both know than the other, and no later epoch, has nothing of its own.
struct Standing {
  Position position;
  /// After the first record of each epoch, the oldest first; bounded. Of epoch 0 it tells apart
  /// files that have nothing to do with one another.
  std::vector<Position> epochs;
  /// The digest after the first record of all: what the copies of one history have in common, and
  /// those of two have not. Nothing before that record.
  std::optional<Uuid> origin{};
  /// When the present epoch was opened, by the clock of who did that; later than the one before.
  /// 0: nobody knows.
  std::int64_t opened_ms = 0;

  /// A record with this comment led to `after`.
  void advance(const Position& after, std::string_view comment);
  /// The lines of a snapshot's comment that say all this.
  std::string marks() const;
};

/// Records that a copy has and another has not.
struct Fork {
  std::optional<std::uint64_t> common;  ///< index of the last record that both have, if known
  std::optional<Uuid> digest;           ///< and the digest there, if known
};

/// Whether `ours` has records that `theirs` has not, as far as epochs tell.
std::optional<Fork> find_fork(const Standing& ours, const Standing& theirs);

}  // namespace tandem
