#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace tandem {

/// Sorts a vector, stably, in steps of bounded size: runs of a few elements first, then merges of
/// ever longer ones. Borrows the vector, which is in disorder between the steps.
template <class T, class Less>
class StepwiseSort {
 public:
  StepwiseSort(std::vector<T>& items, Less less) : items_(items), less_(std::move(less)) {}

  /// Goes on for `budget` elements, taken off there. True when the vector is sorted.
  bool step(std::size_t& budget) {
    while (width_ == 0 || width_ < items_.size()) {
      if (budget == 0) return false;
      if (width_ == 0) {
        sort_run(budget);
      } else {
        merge_one();
        --budget;
      }
    }
    return true;
  }

 private:
  static constexpr std::size_t kRun = 64;

  void sort_run(std::size_t& budget) {
    const std::size_t end = std::min(done_ + kRun, items_.size());
    const auto at = [this](std::size_t i) {
      return items_.begin() + static_cast<std::ptrdiff_t>(i);
    };
    std::stable_sort(at(done_), at(end), less_);
    budget -= std::min(budget, end - done_);
    done_ = end;
    if (done_ == items_.size()) begin_pass(kRun);
  }

  void begin_pass(std::size_t width) {
    width_ = width;
    done_ = 0;
    if (width_ >= items_.size()) return;
    merged_.resize(items_.size());
    begin_pair();
  }

  /// The next two runs: [left_, middle_) and [right_, end_).
  void begin_pair() {
    left_ = done_;
    middle_ = right_ = std::min(done_ + width_, items_.size());
    end_ = std::min(middle_ + width_, items_.size());
  }

  void merge_one() {
    const bool takes_right =
        left_ == middle_ || (right_ < end_ && less_(items_[right_], items_[left_]));
    merged_[done_++] = std::move(items_[takes_right ? right_++ : left_++]);
    if (done_ < end_) return;
    if (done_ < items_.size()) return begin_pair();
    items_.swap(merged_);
    begin_pass(2 * width_);
  }

  std::vector<T>& items_;
  Less less_;
  std::vector<T> merged_;
  std::size_t width_ = 0;  ///< of sorted runs; 0: none yet
  std::size_t done_ = 0;   ///< of this pass
  std::size_t left_ = 0, middle_ = 0, right_ = 0, end_ = 0;
};

}  // namespace tandem
