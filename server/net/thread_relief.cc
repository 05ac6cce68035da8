#include "server/net/thread_relief.h"

#include <chrono>
#include <utility>

#include "server/logging/event_count.h"

namespace tandem::net {

namespace {

EventCount threads_relieved("io_thread_relieved");

/// So long a task may take before another thread goes on in its place: longer than a batch of
/// ordinary transactions takes, shorter than a client notices.
constexpr std::chrono::milliseconds kPatience{15};
/// Each look wakes home. Writer::kPatience of them are what a disk may take before reads go on
/// without it.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

void ThreadRelief::watch(IoShard& shard) {
  shard.set_relief(*this);
  watched_.push_back({&shard, 0});
}

void ThreadRelief::look_later() {
  timer_.expires_after(kLook);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look();
  });
}

void ThreadRelief::look() {
  // What begins from now on wakes this again, unless it is seen here.
  awake_ = false;
  bool busy = also_();
  for (Watched& watched : watched_) {
    const std::uint64_t before = std::exchange(watched.tasks, watched.shard->lent_tasks());
    busy = busy || watched.tasks != before || watched.shard->is_lent();
    if (watched.shard->relieve(kPatience)) threads_relieved.add();
  }
  if (busy && !awake_.exchange(true)) look_later();
}

}  // namespace tandem::net
