#pragma once

#include <signal.h>

#include <cstddef>
#include <memory>

namespace tandem {

/// A stack on which the present thread reports a crash, an overflow of its own stack among them.
/// Made and destroyed by that thread.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr std::size_t kBytes = std::size_t{64} * 1024;
  std::unique_ptr<char[]> memory_ = std::make_unique<char[]>(kBytes);
  stack_t before_{};  ///< a sanitizer's, perhaps
};

}  // namespace tandem
