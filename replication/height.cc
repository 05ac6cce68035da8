#include "replication/height.h"

#include <fmt/core.h>

#include <charconv>

namespace tandem {
namespace {

/// Reads a decimal number of at most 2^63 - 1: JSON can carry it.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number > INT64_MAX)
    return std::nullopt;
  return number;
}

}  // namespace

std::optional<Height> Height::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::optional<std::uint64_t> epoch = parse_number(text.substr(0, colon));
  const std::optional<std::uint64_t> index = parse_number(text.substr(colon + 1));
  if (!epoch || !index) return std::nullopt;
  return Height{Epoch{*epoch}, *index};
}

std::string Height::to_string() const {
  return fmt::format("{}:{}", static_cast<std::uint64_t>(epoch), index);
}

}  // namespace tandem
