#include "server/daemon/last_resort.h"

#include <utility>

#include "server/posix/signal_stack.h"

namespace tandem {

LastResort::~LastResort() {
  {
    const MutexLock lock(mutex_);
    called_off_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void LastResort::arm(std::chrono::milliseconds delay, std::function<void()> leave) {
  thread_ = std::thread([this, delay, leave = std::move(leave)] {
    const SignalStack signal_stack;
    MutexLock lock(mutex_);
    if (!wake_.wait_for(lock, delay, [this]() REQUIRES(mutex_) { return called_off_; })) leave();
  });
}

}  // namespace tandem
