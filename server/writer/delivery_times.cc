#include "server/writer/delivery_times.h"

#include <algorithm>

namespace tandem {

void DeliveryTimes::logged(std::uint64_t index, std::int64_t at_us) {
  if (!moments_.empty()) {
    Moment& last = moments_.back();
    if (index > last.index && at_us == last.at_us) {
      last.index = index;
      return;
    }
    // Another history has taken the place of this one.
    if (index <= last.index) moments_.clear();
  }
  moments_.push_back({index, at_us});
  if (moments_.size() > kMost) moments_.pop_front();
}

void DeliveryTimes::acknowledged(std::uint64_t from, std::uint64_t to, std::int64_t now_us,
                                 TimeHistogram& deliveries) const {
  auto moment =
      std::upper_bound(moments_.begin(), moments_.end(), from,
                       [](std::uint64_t index, const Moment& m) { return index < m.index; });
  for (; moment != moments_.end() && from < to; ++moment) {
    const std::uint64_t last = std::min(moment->index, to);
    deliveries.add(now_us - moment->at_us, last - from);
    from = last;
  }
}

}  // namespace tandem
