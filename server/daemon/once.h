#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace tandem {

/// Calls `then` the first time only: an answer that two may give, of which the later is too late.
/// One thread.
template <class... Args>
std::function<void(Args...)> once(std::function<void(Args...)> then) {
  return [open = std::make_shared<std::function<void(Args...)>>(std::move(then))](Args... args) {
    if (const auto now = std::exchange(*open, nullptr)) now(args...);
  };
}

}  // namespace tandem
