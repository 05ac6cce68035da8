#include "replication/copy_order.h"

#include <algorithm>
#include <tuple>

namespace tandem {
namespace {

/// In how many databases the copies stand so.
struct Tally {
  std::size_t behind = 0;
  std::size_t equal = 0;
  std::size_t ahead = 0;
  std::size_t parted = 0;
  std::size_t unrelated = 0;
  bool ours_whole = true;
  bool theirs_whole = true;

  void add(CopyOrder order) {
    switch (order) {
      case CopyOrder::kBehind:
        ++behind;
        return;
      case CopyOrder::kEqual:
        ++equal;
        return;
      case CopyOrder::kAhead:
        ++ahead;
        return;
      case CopyOrder::kParted:
        ++parted;
        return;
      case CopyOrder::kUnrelated:
        ++unrelated;
        return;
    }
  }
};

Tally tally(const Copies& ours, const Copies& theirs) {
  Tally tally;
  const std::size_t databases = std::min(ours.size(), theirs.size());
  for (std::size_t i = 0; i < databases; ++i) {
    const CopyOrder order = compare(ours[i], theirs[i]);
    tally.add(order);
    const bool same = order == CopyOrder::kEqual && ours[i].digest && theirs[i].digest;
    const bool one_in_sync = ours[i].in_sync || theirs[i].in_sync;
    tally.ours_whole = tally.ours_whole && (ours[i].in_sync || (same && one_in_sync));
    tally.theirs_whole = tally.theirs_whole && (theirs[i].in_sync || (same && one_in_sync));
  }
  return tally;
}

CopyOrder without_wholeness(const Tally& tally) {
  if (tally.ahead > 0 && tally.behind > 0) return CopyOrder::kParted;
  if (tally.ahead > 0) return CopyOrder::kAhead;
  if (tally.behind > 0) return CopyOrder::kBehind;
  if (tally.parted > 0) return CopyOrder::kParted;
  return tally.unrelated > 0 ? CopyOrder::kUnrelated : CopyOrder::kEqual;
}

/// Is `a` to be promoted rather than `b`, although neither may be ahead? A strict order, so that
/// any set of candidates has a first one.
bool comes_first(const Copies& a, const Copies& b) {
  if (is_whole(a) != is_whole(b)) return is_whole(a);
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i].height != b[i].height) return a[i].height > b[i].height;
  }
  return false;
}

}  // namespace

CopyOrder compare(const Copy& ours, const Copy& theirs) {
  if (!ours.height || !theirs.height) return CopyOrder::kUnrelated;
  if (ours.digest && ours.digest == theirs.digest) return CopyOrder::kEqual;
  const Height a = *ours.height;
  const Height b = *theirs.height;
  constexpr Height kEmpty{};
  if (a.epoch == Epoch{} && b.epoch == Epoch{} && a != kEmpty && b != kEmpty)
    return CopyOrder::kUnrelated;
  if (a != b) return a > b ? CopyOrder::kAhead : CopyOrder::kBehind;
  const bool may_differ = ours.digest && theirs.digest && a != kEmpty;
  return may_differ ? CopyOrder::kParted : CopyOrder::kEqual;
}

bool outranks(const Copy& ours, const Copy& theirs) {
  return std::tie(ours.height, ours.digest) > std::tie(theirs.height, theirs.digest);
}

CopyOrder compare(const Copies& ours, const Copies& theirs) {
  const Tally counts = tally(ours, theirs);
  const CopyOrder order = without_wholeness(counts);
  // Whole or not, a set loses nothing by the promotion of one that is behind in no database.
  const bool in_one_direction =
      counts.parted + counts.unrelated == 0 && (counts.ahead == 0 || counts.behind == 0);
  if (counts.ours_whole == counts.theirs_whole || in_one_direction) return order;
  return counts.ours_whole ? CopyOrder::kAhead : CopyOrder::kBehind;
}

bool has_all_of(const Copies& ours, const Copies& theirs) {
  const Tally counts = tally(ours, theirs);
  return counts.behind + counts.parted + counts.unrelated == 0;
}

bool is_whole(const Copies& copies) {
  return std::all_of(copies.begin(), copies.end(), [](const Copy& copy) { return copy.in_sync; });
}

std::optional<Choice> choose(std::span<const Copies> candidates) {
  const auto somebody_is_ahead_of = [&](const Copies& copies) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Copies& other) {
      return compare(other, copies) == CopyOrder::kAhead;
    });
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (somebody_is_ahead_of(candidates[i])) continue;
    if (!best || comes_first(candidates[i], candidates[*best])) best = i;
  }
  if (!best && candidates.empty()) return std::nullopt;
  const Copies& chosen = candidates[best.value_or(0)];
  return Choice{best.value_or(0),
                std::all_of(candidates.begin(), candidates.end(),
                            [&](const Copies& other) { return has_all_of(chosen, other); })};
}

}  // namespace tandem
