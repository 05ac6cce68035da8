#pragma once

// Every rule about the characters of JSON text, once: which they are, where a string ends, what an
// escape stands for, which numbers there are. Readers (json_reader.h, json_scanner.h) and the
// describer of faults (json_fault.h) share them.

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tandem {

constexpr bool is_json_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
constexpr bool is_keyword_letter(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_number_character(char c) {
  return is_json_digit(c) || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/// The first quote, backslash or control character in [at, end), or end.
inline const char* find_in_string(const char* at, const char* end) {
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(special, control)));
    if (found != 0) return at + std::countr_zero(found);
  }
#endif
  while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) >= 0x20) ++at;
  return at;
}

enum class EscapeFault : std::uint8_t {
  kNone,
  kIncomplete,   ///< the text ends within it
  kUnknown,      ///< \x
  kMalformed,    ///< \u without four digits
  kNull,         ///< \u0000
  kNoPair,       ///< a leading surrogate without another escape behind it
  kNotTrailing,  ///< the escape behind it is no trailing surrogate
};

/// Appends the character that the escape at the front of `text` stands for, and takes it away
/// there. After a fault the text is as it was.
EscapeFault take_escape(std::string_view& text, std::string& out);

/// Appends what stands between quotes as the string that it means. False if it is none.
bool append_unescaped(std::string& out, std::string_view raw);

/// How far a number has been read.
enum class NumberPart : std::uint8_t {
  kStart,
  kMinus,
  kZero,      ///< complete
  kInteger,   ///< complete
  kPoint,     ///< a digit must follow
  kFraction,  ///< complete
  kE,         ///< a sign or digit must follow
  kSign,      ///< a digit must follow
  kExponent,  ///< complete
};

constexpr bool is_whole(NumberPart part) {
  return part == NumberPart::kZero || part == NumberPart::kInteger ||
         part == NumberPart::kFraction || part == NumberPart::kExponent;
}

/// Goes over the characters that belong to a number of which `part` has been read.
inline const char* scan_number(const char* at, const char* end, NumberPart& part) {
  using P = NumberPart;
  for (; at < end; ++at) {
    const char c = *at;
    const bool digit = is_json_digit(c);
    if (digit && part == P::kInteger) continue;
    if (digit && part != P::kZero) {
      if (part == P::kStart || part == P::kMinus) {
        part = c == '0' ? P::kZero : P::kInteger;
      } else if (part == P::kPoint || part == P::kFraction) {
        part = P::kFraction;
      } else {
        part = P::kExponent;
      }
    } else if (c == '-' && part == P::kStart) {
      part = P::kMinus;
    } else if (c == '.' && (part == P::kZero || part == P::kInteger)) {
      part = P::kPoint;
    } else if ((c == 'e' || c == 'E') && is_whole(part) && part != P::kExponent) {
      part = P::kE;
    } else if ((c == '+' || c == '-') && part == P::kE) {
      part = P::kSign;
    } else {
      break;
    }
  }
  return at;
}

enum class NumberRange : std::uint8_t { kFine, kExponent, kNumber };

/// Whether a number of the right form is one that JSON readers take.
NumberRange range_of_number(std::string_view number);

/// The integer that a number of the right form denotes, however it is written (1.0, 10e-1), if it
/// has no fraction and fits.
std::optional<std::int64_t> exact_integer(std::string_view number);

/// The nearest real. Requires a number of the right form and range.
double nearest_real(std::string_view number);

/// An integer, or a real that has no fraction and fits: how OVSDB reads JSON numbers (RFC 7047
/// section 3.1). False if the number is neither. Requires the right form and range.
bool read_integer(std::string_view number, std::int64_t& out);

}  // namespace tandem
