#include "server/session/backlog.h"

#include <iterator>

namespace tandem {

namespace {

/// Changes that nobody else reads: these, or a copy.
NetChanges& own(std::shared_ptr<NetChanges>& changes) {
  if (changes.use_count() > 1) changes = std::make_shared<NetChanges>(*changes);
  return *changes;
}

}  // namespace

Backlog::Cursor Backlog::open() {
  if (links_.empty() || links_.back().changes->size() > 0) links_.emplace_back();
  const Cursor last = std::prev(links_.end());
  ++last->cursors;
  return last;
}

void Backlog::close(Cursor cursor) {
  if (--cursor->cursors > 0) return;
  if (cursor != links_.begin()) {
    merge(*std::prev(cursor), *cursor);
    links_.erase(cursor);
    return;
  }
  while (!links_.empty() && links_.front().cursors == 0) links_.pop_front();
}

void Backlog::add(const RowChange& change) {
  ++version_;
  // While the last link is read, a new one takes what comes.
  if (links_.back().changes.use_count() > 1) links_.emplace_back();
  links_.back().changes->add(change);
}

std::shared_ptr<const NetChanges> Backlog::read(Cursor cursor) {
  auto next = std::next(cursor);
  while (next != links_.end() && next->cursors == 0) {
    merge(*cursor, *next);
    next = links_.erase(next);
  }
  if (next == links_.end()) return cursor->changes;
  if (auto rest = cursor->rest.lock(); rest && cursor->rest_version == version_) return rest;
  auto rest = std::make_shared<NetChanges>(*cursor->changes);
  for (; next != links_.end(); ++next) rest->add_later(*next->changes);
  cursor->rest = rest;
  cursor->rest_version = version_;
  return rest;
}

void Backlog::merge(Link& into, Link& from) {
  if (into.changes->size() >= from.changes->size()) {
    own(into.changes).add_later(*from.changes);
  } else {
    own(from.changes).add_earlier(*into.changes);
    into.changes = std::move(from.changes);
  }
}

}  // namespace tandem
