#include "server/session/value_key.h"

namespace tandem {

std::optional<ValueKey> ValueKey::of(const Clause& clause) {
  const DatumView argument = clause.argument.view();
  switch (clause.function) {
    case Function::kEq:
      // A column that equals the argument holds each of its keys, or is empty as it is.
      return ValueKey{clause.column,
                      argument.empty() ? kEmptyValueHash : hash_of_atom(argument.key(0))};
    case Function::kIncludes:
      if (argument.empty()) return std::nullopt;  // always true
      return ValueKey{clause.column, hash_of_atom(argument.key(0))};
    case Function::kLt:
    case Function::kLe:
    case Function::kNe:
    case Function::kGe:
    case Function::kGt:
    case Function::kExcludes:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tandem
