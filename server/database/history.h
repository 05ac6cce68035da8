#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "server/database/commit.h"

namespace tandem {

/// The last commits of one database, bounded by bytes: who is found in it resumes instead of
/// starting over, clients by transaction id (monitor_cond_since) and backups by position. Owned by
/// the writer.
class History {
 public:
  /// The size that suits a database of so many rows: about a third of what they take. Beyond it a
  /// comparison or a download of the rows costs hardly more.
  static std::size_t bytes_for(std::size_t rows);

  explicit History(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  // The id of zeros, which servers give that know none, is nobody's.

  /// What the database was before the first commit that is kept.
  void reset(const Uuid& id, const Position& position);
  void push(CommitRef commit);

  /// The commits after the one with this id (none, when it is the newest), oldest first; nothing
  /// when the id is unknown.
  std::optional<std::vector<CommitRef>> since(const Uuid& id) const;

  /// Commits from some position on, the oldest first.
  struct Tail {
    Position from;
    std::vector<CommitRef> commits;
  };
  /// Those behind that index; nothing if the history does not reach back so far without a resync in
  /// between, before which indexes count other records.
  std::optional<Tail> behind(std::uint64_t index) const;
  /// Those behind the position with that digest.
  std::optional<Tail> behind(const Uuid& digest) const;

  /// Where the database stood at that id; nothing when it is unknown.
  std::optional<Position> find(const Uuid& id) const;
  /// Digests of the newest positions, newest first, and of older ones ever farther apart: what
  /// another server needs to find where its history and this one parted.
  std::vector<Uuid> recent() const;

  /// Id of the newest commit, or of the state before all.
  const Uuid& newest_id() const { return id_before(0); }
  /// The same without the newest so many commits. Requires that it has them.
  const Uuid& id_before(std::size_t newest) const {
    return commits_.size() == newest ? base_id_ : commits_[commits_.size() - newest - 1]->id;
  }
  const Position& oldest_position() const { return base_position_; }
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return commits_.size(); }
  const std::deque<CommitRef>& commits() const { return commits_; }
  void set_max_bytes(std::size_t max_bytes);

 private:
  static std::size_t cost(const Commit& commit);
  void trim();

  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t first_ = 0;  // number of commits_.front(); numbers never repeat
  std::deque<CommitRef> commits_;
  boost::unordered_flat_map<Uuid, std::uint64_t> number_of_;  // by id; first_ - 1 is the base
  Uuid base_id_;
  Position base_position_;
};

}  // namespace tandem
