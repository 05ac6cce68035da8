#pragma once

#include <functional>
#include <string>

#include "server/database/client_port.h"

namespace tandem::simulation {

/// One "transact" of a client, and what is done when it has succeeded.
struct ClientCall final : TransactCall {
  std::function<void()> succeeded;

  void done() override {
    if (canceled || refused) return;
    std::string text;
    result.append_json(text);
    if (text.find("\"error\"") == std::string::npos) succeeded();
  }
};

}  // namespace tandem::simulation
