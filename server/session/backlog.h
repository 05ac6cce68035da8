#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "server/session/net_changes.h"

namespace tandem {

/// What sessions that are behind have not been sent of one database: a chain of net changes, cut
/// where somebody's part begins. A commit is merged into the last link; when nobody's part begins
/// at a cut any more, its neighbours become one. So it costs memory in proportion to what has
/// changed, not to those who have not heard of it. Empty while nobody is behind. One thread.
class Backlog {
  struct Link {
    std::shared_ptr<NetChanges> changes = std::make_shared<NetChanges>();
    std::size_t cursors = 0;  ///< whose part begins here
    /// All from here on, while somebody reads it.
    std::weak_ptr<const NetChanges> rest;
    std::uint64_t rest_version = 0;
  };

 public:
  using Cursor = std::list<Link>::iterator;

  bool empty() const { return links_.empty(); }
  /// Begins a part with what is added from now on. Each cursor is closed once.
  Cursor open();
  void close(Cursor cursor);
  /// Requires that it is not empty.
  void add(const RowChange& change);
  /// All from the cursor on. Those who ask for the same share it.
  std::shared_ptr<const NetChanges> read(Cursor cursor);

 private:
  /// Puts a link's changes into those before it; small into large. Who reads either keeps what it
  /// reads.
  static void merge(Link& into, Link& from);

  std::list<Link> links_;
  std::uint64_t version_ = 0;  ///< of the whole: counts what is added
};

}  // namespace tandem
