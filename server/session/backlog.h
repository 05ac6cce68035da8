#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "server/session/net_changes.h"

namespace tandem {

/// What sessions that are behind have not been sent of one database: a chain of net changes, cut
/// where somebody's part begins. A commit is merged into the last link; when nobody's part begins
/// at a cut any more, its neighbours become one, some rows at a time. So it costs memory in
/// proportion to what has changed, not to those who have not heard of it, and nothing is done for
/// all of it in one go. What somebody reads stays as it is. Empty while nobody is behind. One
/// thread.
class Backlog {
  struct Link {
    std::shared_ptr<NetChanges> changes = std::make_shared<NetChanges>();
    std::size_t cursors = 0;  ///< whose part begins here
    /// All from here on, while somebody reads it.
    std::weak_ptr<const NetParts> rest;
    std::uint64_t rest_version = 0;

    bool is_read() const { return changes.use_count() > 1; }
  };

 public:
  using Cursor = std::list<Link>::iterator;

  bool empty() const { return links_.empty(); }
  /// Begins a part with what is added from now on. Each cursor is closed once.
  Cursor open();
  /// Returns what nobody's part has any more.
  NetParts close(Cursor cursor);
  /// Requires that it is not empty.
  void add(const RowChange& change);
  /// Moves so many rows at most from links where nobody's part begins to their neighbours. After
  /// each commit several times its changes, so that what is to be merged does not pile up.
  void merge_some(std::size_t most);
  /// All from the cursor on. Those who ask for the same share it.
  NetPartsRef read(Cursor cursor);
  /// How many links there are; for tests.
  std::size_t size() const { return links_.size(); }

 private:
  std::list<Link> links_;
  std::uint64_t version_ = 0;  ///< of the whole: counts what is added
};

}  // namespace tandem
