#pragma once

#include "server/base/clock.h"

namespace tandem::test {

/// It is always the same moment.
class StoppedClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  std::int64_t monotonic_ms() const override { return 0; }
};

}  // namespace tandem::test
