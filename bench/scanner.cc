#include "bench/scanner.h"

#include <emmintrin.h>

#include <bit>

namespace tandem::bench {

std::size_t Scanner::end_of_object(std::string_view input) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i open = _mm_set1_epi8('{');
  const __m128i close = _mm_set1_epi8('}');
  const char* data = input.data();
  const std::size_t size = input.size();
  // One byte that may matter.
  const auto step = [&](char c) {
    if (in_string_) {
      if (c == '"') in_string_ = false;
    } else if (c == '"') {
      in_string_ = true;
    } else if (c == '{') {
      ++depth_;
    } else if (c == '}') {
      return --depth_ == 0;
    }
    return false;
  };
  std::size_t i = 0;
  while (i < size) {
    if (escaped_) {
      escaped_ = false;
      ++i;
      continue;
    }
    if (i + 16 > size) {
      if (data[i] == '\\' && in_string_) {
        escaped_ = true;
      } else if (step(data[i])) {
        return i + 1;
      }
      ++i;
      continue;
    }
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data + i));
    const __m128i ends =
        _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash));
    const __m128i braces = _mm_or_si128(_mm_cmpeq_epi8(block, open), _mm_cmpeq_epi8(block, close));
    auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(ends, braces)));
    std::size_t next = i + 16;
    while (found != 0) {
      const auto at = i + static_cast<std::size_t>(std::countr_zero(found));
      found &= found - 1;
      if (data[at] == '\\') {
        next = at + 1;
        escaped_ = in_string_;
        break;
      }
      if (step(data[at])) return at + 1;
    }
    i = next;
  }
  return std::string_view::npos;
}

}  // namespace tandem::bench
