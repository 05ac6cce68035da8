#pragma once

#include <functional>
#include <string>

#include "server/writer/client_port.h"

namespace tandem::simulation {

/// One "transact" of a client, and what is done when it has succeeded.
struct ClientCall final : TransactCall {
  std::function<void(bool elsewhere)> succeeded;  ///< was it another server that executed it?

  void done() override {
    if (canceled || refused || !lost.empty()) return;
    if (forwarded) {
      if (!forwarded->failed) succeeded(true);
      return;
    }
    std::string text;
    result.append_json(text);
    if (text.find("\"error\"") == std::string::npos) succeeded(false);
  }
};

}  // namespace tandem::simulation
