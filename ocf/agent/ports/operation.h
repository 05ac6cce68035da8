#pragma once

#include <poll.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "ocf/agent/decision/step.h"
#include "server/posix/boot_clock.h"

namespace tandem::agent {

/// A step under way: it says which descriptors it waits for, and goes on when one is ready. Never
/// blocks. Destroying it gives the step up. One thread.
class Operation {
 public:
  virtual ~Operation() = default;

  /// Adds what it waits for; nothing: only for its time, or to be asked every 20 ms.
  virtual void add_to(std::vector<pollfd>& polled) const = 0;
  /// The answer, as soon as there is one.
  virtual std::optional<Answer> go_on() = 0;
  /// The answer at its limit.
  virtual Answer give_up() { return {}; }
};

}  // namespace tandem::agent
