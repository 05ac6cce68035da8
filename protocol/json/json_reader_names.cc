// Members that have the same name.

#include <algorithm>

#include "protocol/json/json_reader.h"

namespace tandem {

namespace {

/// A bit for a name: names with different bits differ.
std::uint64_t name_bit(std::string_view name) {
  if (name.empty()) return 1;
  const auto first = static_cast<unsigned char>(name.front());
  const auto last = static_cast<unsigned char>(name.back());
  return std::uint64_t{1} << ((first * 7U + last * 3U + name.size()) & 63U);
}

}  // namespace

std::string_view JsonReader::name_at(std::uint32_t node) const {
  const JsonNode& name = nodes_[node];
  return {(name.is_unescaped ? unescaped_.data() : begin_) + name.place, name.size};
}

void JsonReader::supersede_equal_names(std::uint32_t object) {
  constexpr std::uint32_t kFew = 16;
  if (nodes_[object].size > kFew) return supersede_among_many(object);
  std::uint64_t seen = 0;
  const auto end = static_cast<std::uint32_t>(nodes_.size());
  for (std::uint32_t name = object + 1; name < end; name = end_of(name + 1)) {
    const std::uint64_t bit = name_bit(name_at(name));
    if ((seen & bit) != 0) supersede_before(object, name);
    seen |= bit;
  }
}

void JsonReader::supersede_before(std::uint32_t object, std::uint32_t name) {
  for (std::uint32_t other = object + 1; other < name; other = end_of(other + 1)) {
    if (!nodes_[other].is_superseded && name_at(other) == name_at(name)) supersede(object, other);
  }
}

void JsonReader::supersede_among_many(std::uint32_t object) {
  std::vector<std::uint32_t> names;
  const auto end = static_cast<std::uint32_t>(nodes_.size());
  for (std::uint32_t name = object + 1; name < end; name = end_of(name + 1)) names.push_back(name);
  std::sort(names.begin(), names.end(), [this](std::uint32_t a, std::uint32_t b) {
    const int order = name_at(a).compare(name_at(b));
    return order != 0 ? order < 0 : a < b;
  });
  for (std::size_t i = 0; i + 1 < names.size(); ++i) {
    if (name_at(names[i]) == name_at(names[i + 1])) supersede(object, names[i]);
  }
}

void JsonReader::supersede(std::uint32_t object, std::uint32_t name) {
  nodes_[name].is_superseded = true;
  --nodes_[object].size;
}

}  // namespace tandem
