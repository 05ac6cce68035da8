#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <vector>

#include "protocol/row.h"
#include "server/session/value_key.h"

namespace tandem {

/// Finds the rows of one table by a value in one column, so that a change of conditions costs what
/// it shows and hides rather than what the table holds. A walk over a snapshot that is made anyhow
/// loads it; it is kept up with the commits after that snapshot. Borrows the rows: a row version
/// lives in its snapshot, and then in the commits that are still to be taken. One thread.
class RowLookup {
 public:
  using Rows = boost::container::small_vector<const Row*, 1>;
  /// A value that more rows have is not kept: to look at the whole table costs little more.
  static constexpr std::size_t kMostRows = 16'384;

  /// `loader` lives as long as somebody loads it.
  RowLookup(ColumnIndex column, std::weak_ptr<const void> loader)
      : column_(column), loader_(std::move(loader)) {}

  ColumnIndex column() const { return column_; }
  /// A row of the snapshot.
  void load(const Row& row);
  /// All rows of the snapshot were loaded.
  void finish_loading();
  bool is_ready() const { return ready_; }
  /// It is not ready, and never will be: the walk has ended early, or much has changed meanwhile.
  bool is_abandoned() const { return !ready_ && loader_.expired(); }

  /// Takes a commit's change of one row.
  void change(const RowChange& change);

  /// The rows that may have the value; null: too many. Requires that it is ready.
  const Rows* find(std::size_t value_hash) const;

 private:
  struct Entry {
    Rows rows;
    bool too_many = false;
  };
  /// By some bits of the hash, so that none grows in one long go.
  using Part = boost::unordered_flat_map<std::size_t, Entry>;
  static constexpr std::size_t kParts = 256;
  static std::size_t part_of(std::size_t hash) { return (hash * 0x9e3779b97f4a7c15ULL) >> 56; }

  void insert(const Row& row);
  void erase(const Row& row);

  const ColumnIndex column_;
  std::weak_ptr<const void> loader_;
  bool ready_ = false;
  std::array<Part, kParts> parts_;
  std::vector<RowChange> pending_;  ///< while it is being loaded
};

}  // namespace tandem
