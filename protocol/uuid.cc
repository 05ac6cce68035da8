#include "protocol/uuid.h"

#include <sys/random.h>

#include <array>
#include <cstdlib>

#include "protocol/hex.h"

namespace tandem {

namespace {

// xoshiro256++ (Blackman and Vigna, public domain algorithm): UUIDs need to be unique, not secret,
// and a transaction may want a hundred thousand of them. One generator a thread, seeded by the
// kernel.
class Generator {
 public:
  Generator() {
    auto* at = reinterpret_cast<char*>(state_.data());
    std::size_t left = sizeof state_;
    while (left > 0) {
      const ssize_t got = ::getrandom(at, left, 0);
      if (got < 0)
        continue;  // interrupted by a signal: the only way to fail once the pool is initialized
      at += got;
      left -= static_cast<std::size_t>(got);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<std::uint64_t, 4> state_{};
};

constexpr std::size_t kTextLength = 36;

constexpr bool is_dash(std::size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

Uuid Uuid::random() {
  thread_local Generator generator;
  constexpr std::uint64_t kVersionBits = 0xf000, kVersion4 = 0x4000;  // RFC 4122 section 4.1.3
  constexpr std::uint64_t kVariantBits = 3ULL << 62, kVariantRfc = 1ULL << 63;  // section 4.1.1
  const std::uint64_t hi = generator.next();
  const std::uint64_t lo = generator.next();
  return {(hi & ~kVersionBits) | kVersion4, (lo & ~kVariantBits) | kVariantRfc};
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return std::nullopt;
  Uuid uuid;
  const unsigned all = read_hex(text.substr(0, 8), uuid.hi) | read_hex(text.substr(9, 4), uuid.hi) |
                       read_hex(text.substr(14, 4), uuid.hi) |
                       read_hex(text.substr(19, 4), uuid.lo) | read_hex(text.substr(24), uuid.lo);
  return all >= kNoHexDigit ? std::nullopt : std::optional(uuid);
}

void Uuid::append_to(std::string& out) const {
  std::array<char, kTextLength> text;
  std::uint64_t half = hi;
  int shift = 64;
  for (std::size_t i = 0; i < kTextLength; ++i) {
    if (is_dash(i)) {
      text[i] = '-';
      continue;
    }
    if (shift == 0) {
      half = lo;
      shift = 64;
    }
    shift -= 4;
    text[i] = kHexDigits[half >> shift & 15];
  }
  out.append(text.data(), text.size());
}

std::string Uuid::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

}  // namespace tandem
