#pragma once

#include <string>
#include <vector>

#include "protocol/json/json_scanner.h"
#include "protocol/type.h"

namespace tandem {

/// Makes datums straight from the text of RFC 7047 <value>. It knows the common forms; any other
/// text, and any that is wrong, goes through ColumnType::datum_from_json(), which knows all forms
/// and names all errors. One thread; reuse it, it keeps its buffers.
class DatumScanner {
 public:
  /// Reads the value at the cursor and goes past it. An error also when the text there is no JSON.
  Result<Datum> read(JsonScanner& scanner, const ColumnType& type, ColumnType::Sizes sizes);

 private:
  /// A null datum when it does not know the text, or it is wrong.
  Datum read_common(JsonScanner& scanner, const ColumnType& type, ColumnType::Sizes sizes);
  bool read_atom(JsonScanner& scanner, const BaseType& type, AtomView& atom);
  bool read_string(JsonScanner& scanner, AtomView& atom);
  bool read_elements(JsonScanner& scanner, const ColumnType& type);

  DatumBuilder builder_{AtomicType::kInteger};
  std::string unescaped_;  // strings that atoms borrow; never grows while any does
};

}  // namespace tandem
