#include "server/database/references.h"

namespace tandem {

ReferenceParts ReferenceParts::of(const TableSchema& table) {
  ReferenceParts parts;
  const auto add = [&](ColumnIndex column, const BaseType& base, bool of_values) {
    if (base.is_strong_ref()) parts.strong.push_back({column, of_values, base.ref_table_index});
    if (base.is_weak_ref()) parts.weak.push_back({column, of_values, base.ref_table_index});
  };
  for (ColumnIndex i = kFirstOwnColumn; i < table.columns.size(); i++) {
    const ColumnType& type = table.column(i).type;
    add(i, type.key, false);
    if (type.value) add(i, *type.value, true);
  }
  return parts;
}

}  // namespace tandem
