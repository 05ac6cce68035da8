#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/uuid.h"

namespace tandem {

/// The named-uuids of one transaction (RFC 7047 section 3.1 <named-uuid>): each name gets its UUID
/// at first sight. Lives as long as the transaction; one thread.
class SymbolTable {
 public:
  struct Symbol {
    Uuid uuid;
    bool created = false;  ///< an "insert" of this transaction has it as uuid-name
  };

  /// The symbol of this name, made with a random UUID when new.
  Symbol& get(std::string_view name);
  /// A name that was used but never created, or null: RFC 7047 wants it to be an error for strong
  /// references to be caught.
  const std::unordered_map<std::string, Symbol>& all() const { return symbols_; }

 private:
  std::unordered_map<std::string, Symbol> symbols_;
};

}  // namespace tandem
