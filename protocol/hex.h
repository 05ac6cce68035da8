#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tandem {

inline constexpr std::string_view kHexDigits = "0123456789abcdef";

/// Greater than the value of any digit, in bits that none has.
inline constexpr std::uint8_t kNoHexDigit = 0xf0;

/// The value of each hexadecimal digit of either case; kNoHexDigit for all other bytes. A table,
/// since digits that are random make a processor guess wrong at every comparison.
inline constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNoHexDigit);
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (std::uint8_t i = 10; i < 16; ++i) {
    values[static_cast<std::size_t>('a' + i - 10)] = i;
    values[static_cast<std::size_t>('A' + i - 10)] = i;
  }
  return values;
}();

/// Shifts the digits into `out`. Returns the union of all values' bits: at least kNoHexDigit if one
/// was no digit.
constexpr unsigned read_hex(std::string_view digits, std::uint64_t& out) {
  unsigned all = 0;
  for (const char c : digits) {
    const unsigned digit = kHexValues[static_cast<unsigned char>(c)];
    all |= digit;
    out = out << 4 | digit;
  }
  return all;
}

}  // namespace tandem
