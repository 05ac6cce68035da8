#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
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
};

/// The rows that refer weakly to one row, each as often as it refers. A sorted array: eight bytes a
/// reference, found by halving; moving the rest along costs a microsecond in a list of ten
/// thousand. Rejected: a hash map a row, which takes 200 bytes for the one or two referrers that
/// most rows have.
class Referrers {
 public:
  bool empty() const { return list_.empty(); }
  const std::vector<Referrer>& list() const { return list_; }

  void add(const Referrer& referrer) {
    list_.insert(std::upper_bound(list_.begin(), list_.end(), referrer), referrer);
  }
  /// Takes away one of the row's references, if it has any.
  void remove(const Referrer& referrer) {
    const auto at = std::lower_bound(list_.begin(), list_.end(), referrer);
    if (at != list_.end() && *at == referrer) list_.erase(at);
  }

 private:
  std::vector<Referrer> list_;
};

}  // namespace tandem
