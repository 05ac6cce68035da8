#include "server/posix/signal_stack.h"

namespace tandem {

SignalStack::SignalStack() {
  stack_t own{};
  own.ss_sp = memory_.get();
  own.ss_size = kBytes;
  ::sigaltstack(&own, &before_);
}

SignalStack::~SignalStack() { ::sigaltstack(&before_, nullptr); }

}  // namespace tandem
