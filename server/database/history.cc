#include "server/database/history.h"

#include <algorithm>

namespace tandem {

std::size_t History::bytes_for(std::size_t rows) {
  constexpr std::size_t kLeast = 4U << 20;
  constexpr std::size_t kMost = 64U << 20;
  return std::clamp(256 * rows, kLeast, kMost);
}

std::size_t History::cost(const Commit& commit) {
  // The record's text, the change list, and the old row versions that only the history still holds.
  std::size_t bytes = 200 + commit.record.size();
  for (const RowChange& change : commit.changes) {
    bytes += sizeof(RowChange) + sizeof(Row);
    const Row& row = change.before ? *change.before : *change.after;
    bytes += row.own_columns() * sizeof(Datum);
  }
  return bytes + commit.record.size();
}

void History::reset(const Uuid& id, const Position& position) {
  commits_.clear();
  number_of_.clear();
  bytes_ = 0;
  first_ = 1;
  base_id_ = id;
  base_position_ = position;
  if (!id.is_zero()) number_of_.emplace(id, 0);
}

void History::push(CommitRef commit) {
  if (!commit->id.is_zero()) number_of_.insert_or_assign(commit->id, first_ + commits_.size());
  bytes_ += cost(*commit);
  commits_.push_back(std::move(commit));
  trim();
}

void History::trim() {
  while (bytes_ > max_bytes_ && !commits_.empty()) {
    const CommitRef& oldest = commits_.front();
    // An id may have come again, of a source that went back to it.
    const auto base = number_of_.find(base_id_);
    if (base != number_of_.end() && base->second < first_) number_of_.erase(base);
    base_id_ = oldest->id;
    base_position_ = oldest->position;
    bytes_ -= cost(*oldest);
    commits_.pop_front();
    ++first_;
  }
}

void History::set_max_bytes(std::size_t max_bytes) {
  max_bytes_ = max_bytes;
  trim();
}

std::optional<std::vector<CommitRef>> History::since(const Uuid& id) const {
  const auto found = number_of_.find(id);
  if (found == number_of_.end()) return std::nullopt;
  const auto skip = static_cast<std::ptrdiff_t>(found->second + 1 - first_);
  return std::vector<CommitRef>(commits_.begin() + skip, commits_.end());
}

std::optional<History::Tail> History::behind(std::uint64_t index) const {
  auto from = commits_.end();
  while (true) {
    const Position& before =
        from == commits_.begin() ? base_position_ : (*std::prev(from))->position;
    if (before.index <= index) return Tail{before, {from, commits_.end()}};
    if (from == commits_.begin()) return std::nullopt;
    --from;
    const Position& start =
        from == commits_.begin() ? base_position_ : (*std::prev(from))->position;
    if ((*from)->position.index > start.index + 1 || (*from)->position.index < start.index)
      return std::nullopt;
  }
}

std::optional<History::Tail> History::behind(const Uuid& digest) const {
  const std::optional<Position> from = find(digest);
  if (!from) return std::nullopt;
  return Tail{*from, *since(digest)};
}

std::optional<Position> History::find(const Uuid& id) const {
  const auto found = number_of_.find(id);
  if (found == number_of_.end()) return std::nullopt;
  if (found->second < first_) return base_position_;
  return commits_[found->second - first_]->position;
}

std::vector<Uuid> History::recent() const {
  constexpr std::size_t kDense = 2000;
  std::vector<Uuid> digests;
  std::size_t step = 1;
  for (std::size_t back = 1; back <= commits_.size(); back += step) {
    digests.push_back(commits_[commits_.size() - back]->position.digest);
    if (back >= kDense) step *= 2;
  }
  digests.push_back(base_position_.digest);
  return digests;
}

}  // namespace tandem
