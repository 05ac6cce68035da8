#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "server/ctl/copies.h"

namespace tandem::ctl {

/// The values are the exit statuses of `status --cluster`.
enum class Level : std::uint8_t {
  kGood = 0,      ///< one writer, whose backups are all in sync
  kDegraded = 1,  ///< one writer, and something that needs care
  kBad = 2,       ///< no writer, several, or nobody who tells
};

/// What there is to say in one sentence.
struct Verdict {
  Level level = Level::kGood;
  std::string sentence;
};

/// Of each database, by name.
std::map<std::string, Verdict> judge_databases(const Copies& all);

/// Of all together: the worst level.
Verdict judge(const Copies& all);

/// The servers that write to a database although others do, in a sentence. Empty: none does.
std::string rivals(const Copies& all);

/// "good", "degraded" or "bad".
std::string_view to_string(Level level);

}  // namespace tandem::ctl
