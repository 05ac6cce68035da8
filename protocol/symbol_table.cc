#include "protocol/symbol_table.h"

namespace tandem {

SymbolTable::Symbol& SymbolTable::get(std::string_view name) {
  const auto [at, is_new] = symbols_.try_emplace(std::string(name));
  if (is_new) at->second.uuid = Uuid::random();
  return at->second;
}

}  // namespace tandem
