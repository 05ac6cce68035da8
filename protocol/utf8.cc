#include "protocol/utf8.h"

#include <cstdint>
#include <cstring>

namespace tandem {

namespace {

/// What may follow a lead byte: RFC 3629 section 4.
struct Lead {
  std::size_t length = 0;  ///< of the whole sequence; 0: no lead byte
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xbf;
};

Lead lead_of(unsigned char c) {
  if (c < 0x80) return {1};
  if (c < 0xc2) return {};
  if (c < 0xe0) return {2};
  if (c == 0xe0) return {3, 0xa0, 0xbf};
  if (c == 0xed) return {3, 0x80, 0x9f};
  if (c < 0xf0) return {3};
  if (c == 0xf0) return {4, 0x90, 0xbf};
  if (c < 0xf4) return {4};
  if (c == 0xf4) return {4, 0x80, 0x8f};
  return {};
}

/// How many bytes from `at` are ASCII for sure, eight at a time.
std::size_t skip_ascii(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t end = at;
  while (end + sizeof(std::uint64_t) <= text.size()) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + end, sizeof bytes);
    if (bytes & kHighBits) break;
    end += sizeof bytes;
  }
  return end - at;
}

}  // namespace

Utf8Scan scan_utf8(std::string_view text) {
  Utf8Scan scan;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t ascii = skip_ascii(text, at);
    scan.characters += ascii;
    at += ascii;
    if (at == text.size()) break;

    const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    std::size_t good = lead.length == 0 ? 0 : 1;
    while (good < lead.length && at + good < text.size()) {
      const auto c = static_cast<unsigned char>(text[at + good]);
      const bool fits =
          good == 1 ? c >= lead.second_min && c <= lead.second_max : c >= 0x80 && c <= 0xbf;
      if (!fits) break;
      ++good;
    }
    if (lead.length == 0 || good < lead.length) {
      scan.fault = text.substr(at, good + 1);
      scan.truncated = good > 0 && at + good == text.size();
      return scan;
    }
    ++scan.characters;
    at += lead.length;
  }
  return scan;
}

}  // namespace tandem
