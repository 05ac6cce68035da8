#pragma once

// Which copy is ahead. The only comparison of copies: servers, the OCF agent and the simulation use
// this one. Values in, values out; needs nothing but heights and digests.
//
// Within one history the height alone decides (replication/height.h). Copies on different servers
// may have parted, so digests count, too:
//
// - Copies of different heights: the higher one is ahead.
// - Of the same height: equal digests mean equal copies; different ones, copies that have parted.
//   If a digest is not known the copies are taken for equal.
// - Indexes of epoch 0 are counted by each server for itself. So two copies of epoch 0 are equal or
//   have nothing to do with one another, except that an empty one is behind one with contents.
//
// A server has several databases, and one that is promoted is so with all of them:
//
// - A set of copies is ahead if it is behind in no database, and ahead in one.
// - Of two sets of which each has what the other one lacks, or of which that is not known, a whole
//   one is ahead of one that was not in sync in some database. A database that is equal, by its
//   digest, to one that was in sync was so, too.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/uuid.h"
#include "replication/height.h"

namespace tandem {

/// One server's copy of one database, as far as it is known.
struct Copy {
  /// Nothing: not known, as that of a server that counts no records. Unrelated to all others.
  std::optional<Height> height;
  std::optional<Uuid> digest{};  ///< nothing: not known
  /// It had all that the active had when that was last heard of, or it was the active's.
  bool in_sync = true;
};

/// How one copy, or set of copies, stands to another one.
enum class CopyOrder : std::uint8_t {
  kBehind,     ///< the other one is to be preferred
  kEqual,      ///< either will do
  kAhead,      ///< it is to be preferred to the other one
  kParted,     ///< each has what the other one lacks
  kUnrelated,  ///< nothing can be said
};

CopyOrder compare(const Copy& ours, const Copy& theirs);

/// Two backups that follow each other must not exchange their contents: the one that outranks the
/// other waits. A total order, also of unrelated copies.
bool outranks(const Copy& ours, const Copy& theirs);

/// One server's copies. All sets that are compared have the same databases in the same order: the
/// first one decides where nothing else does.
using Copies = std::vector<Copy>;

CopyOrder compare(const Copies& ours, const Copies& theirs);

/// Nothing that `theirs` has is lost if `ours` are promoted, as far as can be known.
bool has_all_of(const Copies& ours, const Copies& theirs);

/// Was each of them in sync?
bool is_whole(const Copies& copies);

struct Choice {
  std::size_t index = 0;        ///< of the copies to be promoted
  bool has_everything = false;  ///< nobody has what it lacks
};

/// The copies to be promoted: nobody's are ahead of them. Among several such sets, where each has
/// what another one lacks, whole ones come first; then the first database in which two sets
/// differ decides; then the order of the candidates. Nothing if there are none.
std::optional<Choice> choose(std::span<const Copies> candidates);

}  // namespace tandem
