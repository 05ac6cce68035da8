#include "server/logging/spec.h"

namespace tandem::log {

namespace {

constexpr std::string_view kSeparators = " ,:";

/// Cuts the next word off `text`, and the one separator after it, so that the rest of a pattern
/// stays whole.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kSeparators));
  text.remove_prefix(std::min(word.size() + 1, text.size()));
  return word;
}

Spec parse_pattern(std::string_view rest) {
  const std::string_view destination = next_word(rest);
  if (destination.empty()) return BadSpec{"missing destination"};
  PatternSpec spec{parse_destination(destination), std::string(rest)};
  if (!spec.destination && !equal_ignoring_case(destination, "any")) {
    return BadSpec{fmt::format("unknown destination \"{}\"", destination)};
  }
  return spec;
}

Spec parse_levels(std::string_view rest, const std::function<bool(std::string_view)>& is_module) {
  LevelSpec spec;
  std::optional<Level> named_level;
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (equal_ignoring_case(word, "any")) continue;
    if (const auto destination = parse_destination(word)) {
      if (spec.destination) return BadSpec{"cannot specify multiple destinations"};
      spec.destination = destination;
    } else if (const auto level = parse_level(word)) {
      if (named_level) return BadSpec{"cannot specify multiple levels"};
      named_level = level;
    } else if (is_module(word)) {
      if (spec.module) return BadSpec{"cannot specify multiple modules"};
      spec.module = std::string(word);
    } else {
      return BadSpec{fmt::format("no destination, level, or module \"{}\"", word)};
    }
  }
  spec.level = named_level.value_or(Level::kDbg);
  return spec;
}

}  // namespace

Spec parse_spec(std::string_view text, const std::function<bool(std::string_view)>& is_module) {
  std::string_view rest = text;
  const std::string_view first = next_word(rest);
  if (equal_ignoring_case(first, "PATTERN")) return parse_pattern(rest);
  if (equal_ignoring_case(first, "FACILITY")) {
    const auto facility = parse_facility(rest);
    if (!facility) return BadSpec{"invalid facility"};
    return FacilitySpec{*facility};
  }
  return parse_levels(text, is_module);
}

}  // namespace tandem::log
