#pragma once

#include <cstddef>
#include <functional>
#include <variant>

#include "protocol/datum.h"

namespace tandem {

/// Equal atoms of one type have equal hashes; 0.0 equals -0.0.
inline std::size_t hash_of_atom(const AtomView& atom) {
  return std::visit(
      [](const auto& value) {
        return std::hash<std::decay_t<decltype(value)>>()(value) * 0x9e3779b97f4a7c15ULL;
      },
      atom);
}

/// The same for datums of one type; that of a set of one costs no more than its atom's.
inline std::size_t hash_of_datum(const DatumView& datum) {
  return datum.size() == 1 && !datum.is_map() ? hash_of_atom(datum.key(0)) : datum.hash();
}

}  // namespace tandem
