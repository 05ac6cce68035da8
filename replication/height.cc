#include "replication/height.h"

#include <fmt/core.h>

#include <charconv>

namespace tandem {

bool take_number(std::string_view& text, std::uint64_t& out) {
  const char* begin = text.data();
  const auto [end, failure] = std::from_chars(begin, begin + text.size(), out);
  if (failure != std::errc() || out > INT64_MAX) return false;
  text.remove_prefix(static_cast<std::size_t>(end - begin));
  return true;
}

std::optional<Height> Height::parse(std::string_view text) {
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  if (!take_number(text, epoch) || !text.starts_with(':')) return std::nullopt;
  text.remove_prefix(1);
  if (!take_number(text, index) || !text.empty()) return std::nullopt;
  return Height{Epoch{epoch}, index};
}

std::string Height::to_string() const {
  return fmt::format("{}:{}", static_cast<std::uint64_t>(epoch), index);
}

}  // namespace tandem
