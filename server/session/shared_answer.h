#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "server/session/connection_port.h"

namespace tandem {

/// A reply whose result others are sent, too: so many requests for it cost no copy of it.
class SharedAnswer final : public TextSource {
 public:
  /// `result` is JSON.
  SharedAnswer(const JsonId& id, SharedText result)
      : pieces_{shared_text(begin_reply(id)), std::move(result), shared_text("}"), nullptr} {}

  SharedText next() override { return std::exchange(pieces_.at(next_++), nullptr); }

 private:
  std::array<SharedText, 4> pieces_;
  std::size_t next_ = 0;
};

}  // namespace tandem
