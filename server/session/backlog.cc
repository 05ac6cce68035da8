#include "server/session/backlog.h"

#include <iterator>
#include <utility>

namespace tandem {

Backlog::Cursor Backlog::open() {
  if (links_.empty() || links_.back().changes->size() > 0) links_.emplace_back();
  const Cursor last = std::prev(links_.end());
  ++last->cursors;
  return last;
}

NetParts Backlog::close(Cursor cursor) {
  NetParts ended;
  --cursor->cursors;
  while (!links_.empty() && links_.front().cursors == 0) {
    ended.push_back(std::move(links_.front().changes));
    links_.pop_front();
  }
  return ended;
}

void Backlog::add(const RowChange& change) {
  ++version_;
  if (links_.back().is_read()) links_.emplace_back();
  links_.back().changes->add(change);
}

void Backlog::merge_some(std::size_t most) {
  for (auto link = links_.begin(); link != links_.end();) {
    const auto next = std::next(link);
    // The last link takes the commits that come, so it stays.
    if (next == links_.end() || std::next(next) == links_.end()) return;
    if (next->cursors > 0 || link->is_read() || next->is_read()) {
      ++link;
      continue;
    }
    // The smaller one moves into the larger one; a move that has begun goes on in its direction.
    NetChanges& earlier = *link->changes;
    NetChanges& later = *next->changes;
    if (later.is_moving() || (!earlier.is_moving() && later.size() <= earlier.size())) {
      if (!later.move_some_before(earlier, most)) return;
    } else {
      if (!earlier.move_some_after(later, most)) return;
      link->changes = std::move(next->changes);
    }
    links_.erase(next);
  }
}

NetPartsRef Backlog::read(Cursor cursor) {
  if (auto rest = cursor->rest.lock(); rest && cursor->rest_version == version_) return rest;
  auto rest = std::make_shared<NetParts>();
  for (auto link = cursor; link != links_.end(); ++link) {
    if (link->changes->size() > 0) rest->push_back(link->changes);
  }
  cursor->rest = rest;
  cursor->rest_version = version_;
  return rest;
}

}  // namespace tandem
