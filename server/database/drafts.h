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

  /// Whether the transaction has touched a row of the table.
  bool has_any_of(TableIndex table) const;

  /// Requires that find() does not know the row's UUID.
  void insert(TableIndex table, RowDraft row);
  /// A version of the row to write on. Requires that find() knows it.
  Row& modify(TableIndex table, const Uuid& uuid);
  /// Requires that find() knows it.
  void remove(TableIndex table, const Uuid& uuid);
  /// Calls f(draft) for those of one table, in order. The cost is that of the table's drafts.
  template <class F>  // void(const Draft&)
  void for_each_of(TableIndex table, F&& f) const {
    if (drafts_.size() <= kFew) {
      for (const Draft& draft : drafts_) {
        if (draft.table == table) f(draft);
      }
      return;
    }
    for (const std::uint32_t number : numbers_of(table)) f(drafts_[number]);
  }
  /// Calls f(draft) in order for those of one table whose rows may have the key in one of its
  /// indexes. Many operations of a transaction may each look for a key among many drafts.
  template <class F>  // void(const Draft&)
  void for_each_with(TableIndex table, const UniqueIndex& index, const IndexKey& key, F&& f) const {
    if (drafts_.size() <= kFew) return for_each_of(table, f);
    for (const std::uint32_t number : numbers_with(table, index, key)) f(drafts_[number]);
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

  /// Up to so many drafts are looked through; among more they are found by by_table_ and lookups_.
  static constexpr std::size_t kFew = 32;
  using Numbers = std::vector<std::uint32_t>;
  const Numbers& numbers_of(TableIndex table) const;
  const Numbers& numbers_with(TableIndex table, const UniqueIndex& index,
                              const IndexKey& key) const;
  /// Drafts by the hash of their key in an index. Rows that have another key meanwhile are taken
  /// out when somebody looks there.
  struct Lookup {
    boost::unordered_flat_map<std::size_t, Numbers> numbers;
    std::size_t seen = 0;  ///< so many of touches_ are in it
  };

  const Database& database_;
  std::vector<Draft> drafts_;
  boost::unordered_flat_map<Key, std::uint32_t> number_of_;
  // Made when somebody looks for drafts beside many others.
  mutable boost::unordered_flat_map<TableIndex, Numbers> by_table_;
  mutable std::uint32_t grouped_ = 0;  // drafts in by_table_
  mutable boost::unordered_flat_map<const UniqueIndex*, Lookup> lookups_;
  mutable Numbers touches_;  // numbers of drafts, each time one is touched, once there are lookups
};

}  // namespace tandem
