#include "replication/standing.h"

#include <algorithm>

namespace tandem {
namespace {

constexpr std::size_t kMaxEpochs = 64;

/// Index of the last record of the epoch that begins with `epochs[i]`; of epoch 0 for i = -1.
std::uint64_t end_of_epoch(const Standing& standing, std::ptrdiff_t i) {
  const auto next = static_cast<std::size_t>(i + 1);
  return next < standing.epochs.size() ? standing.epochs[next].index - 1 : standing.position.index;
}

}  // namespace

void Standing::advance(const Position& after, std::string_view comment) {
  const Position before = std::exchange(position, after);
  if (after.index == 1) origin = after.digest;
  PositionMarks marks = PositionMarks::parse(comment);
  if (marks.snapshot) {
    epochs = std::move(marks.epochs);
    origin = marks.origin;
    // Versions that did not write it kept no more than the epochs.
    if (!origin) origin = epochs.empty() ? after.digest : epochs.front().digest;
    opened_ms = marks.opened_ms.value_or(0);
  } else if (after.epoch > before.epoch || after.index == 1) {
    if (after.epoch > before.epoch)
      opened_ms = std::max(opened_ms + 1, marks.opened_ms.value_or(0));
    epochs.push_back(after);
    if (epochs.size() > kMaxEpochs) epochs.erase(epochs.begin());
  }
}

std::string Standing::marks() const {
  std::string text = snapshot_mark(position);
  if (!epochs.empty()) text += '\n' + epochs_mark(epochs);
  if (origin) text += '\n' + origin_mark(*origin);
  if (opened_ms > 0) text += '\n' + opened_mark(opened_ms);
  return text;
}

std::optional<Fork> find_fork(const Standing& ours, const Standing& theirs) {
  auto i = static_cast<std::ptrdiff_t>(ours.epochs.size()) - 1;
  auto j = static_cast<std::ptrdiff_t>(theirs.epochs.size()) - 1;
  for (; i >= 0; --i) {
    const auto same =
        std::find_if(theirs.epochs.begin(), theirs.epochs.end(), [&](const Position& start) {
          return start.digest == ours.epochs[static_cast<std::size_t>(i)].digest;
        });
    j = same - theirs.epochs.begin();
    if (same != theirs.epochs.end()) break;
    j = -1;
  }
  if (i < 0) j = -1;
  const std::uint64_t last = std::min(end_of_epoch(ours, i), end_of_epoch(theirs, j));
  if (ours.position.index <= last && i + 1 == static_cast<std::ptrdiff_t>(ours.epochs.size()))
    return std::nullopt;
  return Fork{last, std::nullopt};
}

}  // namespace tandem
