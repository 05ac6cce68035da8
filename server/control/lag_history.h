#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tandem::control {

struct ServerStatus;

/// How far backups were behind in the last minutes: those that follow this server, by name, and
/// this server itself where it follows another one. In bounds, whatever names they give.
class LagHistory {
 public:
  static constexpr std::int64_t kSampleMs = 3000;
  static constexpr std::size_t kSamples = 100;
  /// Of one database. There are no more followers at a time.
  static constexpr std::size_t kMostLines = 64;

  /// Records behind, the most in each time of kSampleMs, the oldest first; nothing: not there, or
  /// not known.
  using Line = std::vector<std::optional<std::uint64_t>>;

  void look(const ServerStatus& status);
  /// Empty if there is none.
  Line follower(const std::string& database, const std::string& peer) const;
  /// One that followed in the last minutes, and does not any more.
  struct Gone {
    std::string peer;
    std::int64_t seen_ms;  ///< when it was last there
  };
  /// The last ones first.
  std::vector<Gone> gone(const std::string& database) const;
  Line own(const std::string& database) const { return follower(database, ""); }

 private:
  struct Samples {
    std::array<std::optional<std::uint64_t>, kSamples> values{};
    std::int64_t seen_ms = 0;  ///< when it was last there
  };
  using Lines = std::map<std::string, Samples>;

  void note(Lines& lines, const std::string& peer, std::uint64_t lag);
  std::size_t place(std::int64_t sample) const {
    return static_cast<std::size_t>(sample) % kSamples;
  }

  std::map<std::string, Lines> lines_;  // by database
  std::int64_t now_ms_ = 0;
  std::int64_t sample_ = 0;  // number of the one that is being taken
};

}  // namespace tandem::control
