#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <compare>
#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/schema.h"

namespace tandem {

/// Where a row stands in its table for as long as it lives.
using Slot = std::uint32_t;

/// A row that refers to another.
struct Referrer {
  TableIndex table = 0;
  Slot slot = 0;
  auto operator<=>(const Referrer&) const = default;
  friend std::size_t hash_value(const Referrer& referrer) noexcept {
    return (std::uint64_t{referrer.table} << 32 | referrer.slot) * 0x9e3779b97f4a7c15ULL;
  }
};

/// The rows that refer weakly to one row, each as often as it refers. A few stand in a sorted
/// array: eight bytes a reference, found by halving. Many stand in a hash map with their numbers,
/// so that one comes or goes at the same cost beside 200,000 others. Rejected: a hash map from the
/// start, which takes 200 bytes for the one or two referrers that most rows have.
class Referrers {
 public:
  bool empty() const { return few_.empty() && !many_; }
  /// Each once, in order.
  std::vector<Referrer> list() const {
    std::vector<Referrer> list = few_;
    if (many_) {
      list.reserve(many_->size());
      for (const auto& [referrer, count] : *many_) list.push_back(referrer);
      std::sort(list.begin(), list.end());
    }
    list.erase(std::unique(list.begin(), list.end()), list.end());
    return list;
  }

  void add(const Referrer& referrer) {
    if (!many_ && few_.size() == kFew) move_to_many();
    if (many_) {
      ++(*many_)[referrer];
    } else {
      few_.insert(std::upper_bound(few_.begin(), few_.end(), referrer), referrer);
    }
  }
  /// Takes away one of the row's references, if it has any.
  void remove(const Referrer& referrer) {
    if (!many_) {
      const auto at = std::lower_bound(few_.begin(), few_.end(), referrer);
      if (at != few_.end() && *at == referrer) few_.erase(at);
      return;
    }
    const auto at = many_->find(referrer);
    if (at == many_->end() || --at->second > 0) return;
    many_->erase(at);
    if (many_->empty()) many_.reset();
  }

 private:
  static constexpr std::size_t kFew = 1024;
  using Counts = boost::unordered_flat_map<Referrer, std::uint32_t>;

  void move_to_many() {
    many_ = std::make_unique<Counts>();
    for (const Referrer& referrer : few_) ++(*many_)[referrer];
    few_ = {};
  }

  std::vector<Referrer> few_;
  std::unique_ptr<Counts> many_;
};

}  // namespace tandem
