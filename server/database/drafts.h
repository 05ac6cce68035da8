#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "server/database/database.h"

namespace tandem {

/// What a transaction has done to one row so far.
struct Draft {
  TableIndex table = 0;
  Uuid uuid;
  RowRef before;   ///< the row in the database; null: it was not there
  RowDraft after;  ///< the row as it is to be; null: deleted

  bool inserted() const { return !before && after; }
  bool deleted() const { return before && !after; }
};

/// The database as one transaction sees it: the live rows with the transaction's own changes over
/// them. Nothing of it touches the database; dropping it is the rollback. Lives as long as the
/// transaction executes, on the writer.
class Drafts {
 public:
  explicit Drafts(const Database& database) : database_(database) {}
  Drafts(const Drafts&) = delete;
  Drafts& operator=(const Drafts&) = delete;

  const Database& database() const { return database_; }
  const TableSchema& schema(TableIndex table) const { return database_.table(table).schema(); }

  /// The row as the transaction sees it, or null. Valid until the row is next touched.
  const Row* find(TableIndex table, const Uuid& uuid) const;
  /// The draft of a row that was touched, or null. Valid until another row is touched.
  const Draft* draft_of(TableIndex table, const Uuid& uuid) const;

  /// In the order in which rows were first touched. Grows, so walk it by number.
  const std::vector<Draft>& all() const { return drafts_; }
  std::size_t size() const { return drafts_.size(); }
  const Draft& operator[](std::size_t i) const { return drafts_[i]; }

  /// Requires that find() does not know the row's UUID.
  void insert(TableIndex table, RowDraft row);
  /// A version of the row to write on. Requires that find() knows it.
  Row& modify(TableIndex table, const Uuid& uuid);
  /// Requires that find() knows it.
  void remove(TableIndex table, const Uuid& uuid);
  /// The rows of a table that the database has and that were removed.
  std::span<const Uuid> removed_from(TableIndex table) const {
    return table < removed_from_.size() ? removed_from_[table] : std::span<const Uuid>();
  }

 private:
  struct Key {
    Uuid uuid;
    TableIndex table;
    bool operator==(const Key&) const = default;
    friend std::size_t hash_value(const Key& key) noexcept {
      return hash_value(key.uuid) + key.table;
    }
  };
  /// The row's draft, a new one for a row of the database that was not touched yet.
  Draft& touch(TableIndex table, const Uuid& uuid);

  const Database& database_;
  std::vector<Draft> drafts_;
  boost::unordered_flat_map<Key, std::uint32_t> number_of_;
  std::vector<std::vector<Uuid>> removed_from_;
};

}  // namespace tandem
