#include "server/net/tls_protocols.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace tandem::net {

namespace {

constexpr std::array<std::string_view, 4> kNames = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

std::optional<unsigned> version_named(std::string_view name) {
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (std::ranges::equal(kNames[i], name, same_letter)) return i;
  }
  return std::nullopt;
}

/// The bits of one word of the list; none if it is malformed.
std::uint8_t versions_of(std::string_view word) {
  std::string_view from = word;
  std::string_view to = word;
  if (word.ends_with('+')) {
    from.remove_suffix(1);
    to = kNames.back();
  } else if (const auto dash = word.find('-'); dash != std::string_view::npos) {
    from = word.substr(0, dash);
    to = word.substr(dash + 1);
  }
  const auto first = version_named(from);
  const auto last = version_named(to);
  if (!first || !last) return 0;
  std::uint8_t bits = 0;
  for (unsigned i = *first; i <= *last; ++i) bits = static_cast<std::uint8_t>(bits | 1U << i);
  return bits;
}

}  // namespace

Result<TlsProtocols> TlsProtocols::parse(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t";
  TlsProtocols protocols{0};
  for (;;) {
    const auto begin = text.find_first_not_of(kSeparators);
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
    text.remove_prefix(word.size());
    const std::uint8_t bits = versions_of(word);
    if (bits == 0)
      return Error{"syntax error", fmt::format("{}: SSL/TLS protocol not recognized", word), {}};
    protocols.versions = static_cast<std::uint8_t>(protocols.versions | bits);
  }
  if (protocols.versions == 0) return TlsProtocols{};
  return protocols;
}

}  // namespace tandem::net
