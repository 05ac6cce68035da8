#include "server/database/database.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>

#include "server/database/transaction_execution.h"

namespace tandem {

Database::Database(SchemaRef schema) : schema_(std::move(schema)) {
  for (const TableSchema& table : schema_->tables())
    tables_.push_back(std::make_unique<Table>(table));
}

Database::~Database() = default;

TransactOutcome Database::execute(Transaction& transaction, const TransactContext& context) {
  assert(transaction.schema == schema_ &&
         "A transaction's column numbers are those of this schema.");
  TransactOutcome outcome = TransactionExecution(*this, transaction, context).run();
  if (outcome.commit) apply(outcome.commit->changes);
  return outcome;
}

void Database::revert(const Commit& commit) { take_back(commit.changes); }

void Database::take_back(const std::vector<RowChange>& changes) {
  std::vector<RowChange> inverse;
  inverse.reserve(changes.size());
  for (const RowChange& change : changes) {
    inverse.push_back({change.table, change.after, change.before});
  }
  apply(inverse);
}

Result<void> Database::take_over(const std::vector<RowChange>& changes, References references) {
  const std::size_t dangling = dangling_near(changes);
  apply(changes);
  Result<void> checked = check(changes);
  if (checked && references == References::kWhole && dangling_near(changes) > dangling)
    checked = dangling_reference(changes);
  if (!checked) take_back(changes);
  return checked;
}

/// Calls f(table) for each table that changes touch; changes stand in order of tables.
template <class F>
void Database::for_each_table(const std::vector<RowChange>& changes, F&& f) const {
  const Table* last = nullptr;
  for (const RowChange& change : changes) {
    const Table& table = *tables_[change.table];
    if (&table != last) f(table);
    last = &table;
  }
}

/// Rows that are missing in the tables that changes touch or may refer to. A table may be counted
/// more than once.
std::size_t Database::dangling_near(const std::vector<RowChange>& changes) const {
  std::size_t count = 0;
  for_each_table(changes, [&](const Table& table) {
    count += table.dangling();
    for (const ReferencePart& part : table.references().strong)
      count += tables_[part.target]->dangling();
  });
  return count;
}

Result<void> Database::check(const std::vector<RowChange>& changes) const {
  Result<void> checked;
  for_each_table(changes, [&](const Table& table) {
    if (!checked) return;
    if (!table.is_unique()) {
      checked = constraint_violation(fmt::format(
          "rows of table \"{}\" have identical values for an index", table.schema().name));
    } else if (table.size() > table.schema().max_rows) {
      checked = constraint_violation(
          fmt::format("table \"{}\" contains {} rows, greater than the schema-defined limit of {} "
                      "row(s)",
                      table.schema().name, table.size(), table.schema().max_rows));
    }
  });
  return checked;
}

Error Database::dangling_reference(const std::vector<RowChange>& changes) const {
  const auto violation = [](std::string details) {
    return Error{"referential integrity violation", std::move(details), std::nullopt};
  };
  for (const RowChange& change : changes) {
    const Table& table = *tables_[change.table];
    const TableSchema& schema = table.schema();
    if (!change.after) {
      const std::uint32_t left = table.strong_references(change.uuid());
      if (left == 0) continue;
      return violation(fmt::format("cannot delete {} row {} because of {} remaining reference(s)",
                                   schema.name, change.uuid().to_string(), left));
    }
    for (const ReferencePart& part : table.references().strong) {
      std::optional<Uuid> missing;
      part.for_each_uuid(change.after.get(), [&](const Uuid& to) {
        if (!missing && !tables_[part.target]->find(to)) missing = to;
      });
      if (!missing) continue;
      return violation(
          fmt::format("Table {} column {} row {} references nonexistent row {} in table {}.",
                      schema.name, schema.column(part.column).name, change.uuid().to_string(),
                      missing->to_string(), tables_[part.target]->schema().name));
    }
  }
  return violation("a row is referenced that does not exist");
}

void Database::reserve_for(const std::vector<RowChange>& changes) {
  constexpr std::size_t kMany = 4096;
  if (changes.size() < kMany) return;
  std::vector<std::size_t> inserted(tables_.size());
  for (const RowChange& change : changes) {
    if (!change.before) inserted[change.table]++;
  }
  for (std::size_t i = 0; i < tables_.size(); i++) {
    if (inserted[i] > 0) tables_[i]->reserve(tables_[i]->size() + inserted[i]);
  }
}

void Database::apply(const std::vector<RowChange>& changes) {
  reserve_for(changes);
  // Rows may exchange index keys, so all that cease go before any that begin come.
  for (const RowChange& change : changes) {
    tables_[change.table]->erase_index_keys(change.before.get(), change.after.get());
  }
  for (const RowChange& change : changes) {
    Table& table = *tables_[change.table];
    if (change.after) {
      move_references(change, table.put(change.after));
    } else {
      move_references(change, table.slot_of(change.before->uuid()));
      table.erase(change.before->uuid());
    }
    table.insert_index_keys(change.before.get(), change.after.get());
  }
}

void Database::move_references(const RowChange& change, Slot slot) {
  const ReferenceParts& parts = tables_[change.table]->references();
  const Row* const before = change.before.get();
  const Row* const after = change.after.get();
  for (const ReferencePart& part : parts.strong) {
    Table& target = *tables_[part.target];
    // A row does not hold itself: such references are not counted.
    const auto counts = [&](const Uuid& uuid) {
      return part.target != change.table || uuid != change.uuid();
    };
    visit_reference_changes(
        part, before, after,
        [&](const Uuid& uuid) {
          if (counts(uuid)) target.remove_strong_reference(uuid);
        },
        [&](const Uuid& uuid) {
          if (counts(uuid)) target.add_strong_reference(uuid);
        });
  }
  const Referrer referrer{change.table, slot};
  for (const ReferencePart& part : parts.weak) {
    Table& target = *tables_[part.target];
    visit_reference_changes(
        part, before, after,
        [&](const Uuid& uuid) { target.remove_weak_reference(uuid, referrer); },
        [&](const Uuid& uuid) { target.add_weak_reference(uuid, referrer); });
  }
}

Snapshot Database::snapshot() const {
  Snapshot snapshot{schema_, {}};
  snapshot.tables.reserve(tables_.size());
  for (const auto& table : tables_) snapshot.tables.push_back(table->snapshot());
  return snapshot;
}

RowRef Database::find(TableIndex table, const Uuid& uuid) const {
  const RowRef* const row = tables_[table]->find(uuid);
  return row ? *row : nullptr;
}

std::size_t Database::row_count() const {
  std::size_t rows = 0;
  for (const auto& table : tables_) rows += table->size();
  return rows;
}

Usage usage_of(const Snapshot& snapshot) {
  Usage usage;
  for (TableIndex index = 0; index < snapshot.tables.size(); ++index) {
    const TableSchema& schema = snapshot.schema->table(index);
    const ReferenceParts parts = ReferenceParts::of(schema);
    usage.cells += snapshot.tables[index].size() * schema.columns.size();
    snapshot.tables[index].for_each([&](const Row& row) {
      for (ColumnIndex i = kFirstOwnColumn; i < schema.columns.size(); i++) {
        const DatumView datum = row.view(i);
        usage.atoms += datum.is_map() ? 2 * datum.size() : datum.size();
      }
      for (const ReferencePart& part : parts.weak) usage.weak_refs += row.view(part.column).size();
    });
  }
  return usage;
}

}  // namespace tandem
