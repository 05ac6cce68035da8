#pragma once

#include <functional>

#include "server/base/clock.h"
#include "server/writer/catalogue.h"
#include "server/writer/writer.h"

namespace tandem {

/// The parts of DatabaseServer share this.
struct WriterContext {
  const Clock& clock;
  Writer& writer;
  Catalogue& catalogue;
  /// The next deadline of a part may have changed.
  std::function<void()> schedule_wake;
};

}  // namespace tandem
