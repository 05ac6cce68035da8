#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

/// How often a backup has been promoted in this history.
enum class Epoch : std::uint64_t {};

/// How far a copy goes: by epoch, then index. This is the one order of what is in one history: a
/// copy that is higher has all that a lower one has.
struct Height {
  Epoch epoch{};
  std::uint64_t index = 0;

  auto operator<=>(const Height&) const = default;
  /// Reads "EPOCH:INDEX", both decimal.
  static std::optional<Height> parse(std::string_view text);
  /// "EPOCH:INDEX".
  std::string to_string() const;
};

/// Takes a decimal number of at most 2^63 - 1 (JSON can carry it) off the front.
bool take_number(std::string_view& text, std::uint64_t& out);

}  // namespace tandem
