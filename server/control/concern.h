#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::control {

struct ServerStatus;
struct DatabaseStatus;

/// Something that an operator has to look at for as long as it lasts: a trouble of what the server
/// depends on (`Trouble`), or how its copies stand to the others. A value. This file alone decides
/// what there is, and what is advised; the journal and the status page tell of it.
struct Concern {
  /// What it is about, and the kind of it: the same for as long as it lasts. A certificate that is
  /// about to run out and one that has is one topic, of two kinds.
  std::string topic;
  std::string_view kind;
  std::string subject;  ///< a database, a remote, a file
  std::string what;     ///< is so
  std::string advice;   ///< what to do
  /// Clients feel it: nobody can write here although they should, or a copy does not follow.
  bool outage = false;

  // How the log tells of it.
  enum class Level : std::uint8_t { kInfo, kWarn };
  Level level = Level::kWarn;
  bool told_elsewhere = false;  ///< the log says already, where it happens, that it begins and ends
  std::int64_t patience_ms = 0;  ///< shorter is not worth a line
  std::int64_t remind_ms = 0;    ///< again after so long, while it lasts; 0: never
  std::string end;               ///< is so when it is over

  std::string to_string() const { return subject + ": " + what; }
};

/// All there is, outages first.
std::vector<Concern> concerns_of(const ServerStatus& status);

}  // namespace tandem::control
