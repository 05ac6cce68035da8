#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

/// A 128-bit UUID (RFC 4122), ordered as its text is.
struct Uuid {
  std::uint64_t hi = 0;
  std::uint64_t lo = 0;

  /// A new version 4 UUID. Thread-safe.
  static Uuid random();
  /// Reads exactly the 36-character form, either case.
  static std::optional<Uuid> parse(std::string_view text);

  bool is_zero() const { return hi == 0 && lo == 0; }
  std::string to_string() const;
  void append_to(std::string& out) const;

  auto operator<=>(const Uuid&) const = default;
};

inline std::size_t hash_value(const Uuid& uuid) noexcept {
  // UUIDs are random or digests: any fold of the bits is a good hash.
  return static_cast<std::size_t>(uuid.hi ^ (uuid.lo * 0x9e3779b97f4a7c15ULL));
}

}  // namespace tandem

template <>
struct std::hash<tandem::Uuid> {
  std::size_t operator()(const tandem::Uuid& uuid) const noexcept { return hash_value(uuid); }
};
