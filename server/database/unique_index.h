#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstddef>
#include <span>
#include <vector>

#include "protocol/row.h"

namespace tandem {

/// The values of an index's columns, in the index's order.
using IndexKey = std::vector<DatumView>;

/// Finds rows by the values of a set of columns (RFC 7047 section 3.2 "indexes"). Borrows the rows:
/// they must live as long as they are in it. One thread.
class UniqueIndex {
 public:
  explicit UniqueIndex(std::vector<ColumnIndex> columns) : columns_(std::move(columns)) {}
  UniqueIndex(const UniqueIndex&) = delete;
  UniqueIndex& operator=(const UniqueIndex&) = delete;

  const std::vector<ColumnIndex>& columns() const { return columns_; }
  std::size_t size() const { return entries_.size(); }

  /// Equal in all columns of the index.
  bool same_key(const Row& a, const Row& b) const;

  /// Adds the row; nothing happens when another one with its key is there.
  void insert(const Row& row);
  /// Takes out the row; nothing happens when it is not in.
  void erase(const Row& row);

  /// Puts a newer version of the row in its place. Requires the same key.
  void replace(const Row& before, const Row& after);

  /// The row with the same key as this one, or null.
  const Row* find(const Row& like) const;
  /// Requires a datum for each of columns(), of its type.
  const Row* find(const IndexKey& key) const;

  /// The hash of a row's values in the index's columns, and of such values.
  std::size_t hash(const Row& row) const;
  std::size_t hash(const IndexKey& key) const;

  void reserve(std::size_t n) { entries_.reserve(n); }

 private:
  /// The hash is kept so that growing does not read the rows.
  struct Entry {
    std::size_t hash;
    mutable const Row* row;
  };
  struct Probe {
    std::size_t hash;
    const IndexKey* key;
  };
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;  // mixed in key_hash()
    std::size_t operator()(const Entry& entry) const { return entry.hash; }
    std::size_t operator()(const Probe& probe) const { return probe.hash; }
  };
  struct Equal {
    using is_transparent = void;
    const UniqueIndex* index;
    bool operator()(const Entry& a, const Entry& b) const {
      return a.hash == b.hash && (a.row == b.row || index->same_key(*a.row, *b.row));
    }
    bool operator()(const Probe& a, const Entry& b) const {
      return a.hash == b.hash && index->has_key(*b.row, *a.key);
    }
    bool operator()(const Entry& a, const Probe& b) const { return (*this)(b, a); }
  };

  template <class View>  // DatumView(std::size_t i)
  std::size_t key_hash(View&& view) const;
  bool has_key(const Row& row, const IndexKey& key) const;

  std::vector<ColumnIndex> columns_;
  boost::unordered_flat_set<Entry, Hash, Equal> entries_{0, Hash{}, Equal{this}};
};

}  // namespace tandem
