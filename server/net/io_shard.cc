#include "server/net/io_shard.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <limits>
#include <list>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "server/net/thread_relief.h"
#include "server/posix/boot_clock.h"
#include "server/posix/mutex.h"
#include "server/posix/signal_stack.h"

namespace tandem::net {

namespace asio = boost::asio;

namespace {
using DeferredList = boost::intrusive::list<Deferred, boost::intrusive::constant_time_size<false>>;

constexpr std::size_t kScratchBytes = std::size_t{64} * 1024;
/// A turn of long work.
constexpr std::chrono::milliseconds kLongTurn(2);
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
}  // namespace

/// One that runs the loop, or did.
struct IoShard::LoopThread {
  std::atomic<bool> ended = false;
  std::thread thread;
};

namespace {

/// Which of the loop's threads this is: the 0th, where somebody else's thread serves.
thread_local std::uint64_t thread_number = 0;

/// Ends a thread that another one has taken the place of.
struct Relieved {};

}  // namespace

struct IoShard::Loop {
  /// Not for one thread only, as it could be promised: what that thread posts would wait for the
  /// end of its handler, and what another one posts after it would run before.
  asio::io_context context;
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  asio::steady_timer ticker{context};
  std::int64_t ticker_ms = kNever;  ///< what `ticker` is set to
  TimerWheel wheel;
  DeferredList deferred;
  bool deferred_posted = false;
  DeferredList with_long_work;
  bool long_posted = false;
  std::unique_ptr<char[]> scratch = std::make_unique<char[]>(kScratchBytes);

  std::list<LoopThread> threads;  ///< the last one serves; of start(), relieve() and stop()
  mutable Mutex lent_mutex;
  std::uint64_t lent_tasks GUARDED_BY(lent_mutex) = 0;
  /// Nothing: none is running.
  std::optional<std::chrono::steady_clock::time_point> lent_since GUARDED_BY(lent_mutex);
  /// Of the thread that serves. Changed under the mutex.
  std::atomic<std::uint64_t> number = 0;
};

IoShard::IoShard(unsigned index) : index_(index), loop_(std::make_unique<Loop>()) {}

IoShard::~IoShard() { stop(); }

void IoShard::start() { start_thread(0); }

void IoShard::start_thread(std::uint64_t number) {
  LoopThread& thread = loop_->threads.emplace_back();
  thread.thread = std::thread([this, &thread, number] {
    block_signals(true);
    const SignalStack signal_stack;
    serve(number);
    thread.ended = true;
  });
}

void IoShard::serve(std::uint64_t number) {
  thread_number = number;
  { const MutexLock until_it_is_in_place(loop_->lent_mutex); }
  try {
    loop_->context.run();
  } catch (const Relieved&) {  // another one serves
  }
}

void IoShard::run() {
  block_signals(false);
  loop_->context.run();
}

void IoShard::stop() {
  loop_->context.stop();
  for (LoopThread& thread : loop_->threads) {
    if (thread.thread.joinable()) thread.thread.join();
  }
}

bool IoShard::run_once(std::int64_t timeout_ms) {
  block_signals(false);
  loop_->context.restart();
  std::size_t done = loop_->context.run_one_for(std::chrono::milliseconds(timeout_ms));
  if (done > 0) done += loop_->context.poll();
  return done > 0;
}

void IoShard::post(Task task) {
  asio::post(loop_->context, [this, task = std::move(task)]() mutable { run_turn(task); });
}

bool IoShard::is_current() const {
  return loop_->context.get_executor().running_in_this_thread() &&
         thread_number == loop_->number.load();
}

// --- tasks that may be blocked ---

void IoShard::post_lent(Task task) {
  asio::post(loop_->context, [this, task = std::move(task)]() mutable { run_lent(task); });
}

void IoShard::run_lent(Task& task) {
  {
    const MutexLock lock(loop_->lent_mutex);
    ++loop_->lent_tasks;
    loop_->lent_since = std::chrono::steady_clock::now();
    if (relief_ != nullptr) relief_->lent();
  }
  task();
  if (!take_back()) throw Relieved();
  in_turn_ = false;
  run_deferred();
}

bool IoShard::take_back() {
  if (!loop_->context.get_executor().running_in_this_thread()) return true;  // lent by nobody
  const MutexLock lock(loop_->lent_mutex);
  if (thread_number != loop_->number) return false;
  if (!std::exchange(loop_->lent_since, std::nullopt)) return true;
  in_turn_ = true;
  return true;
}

bool IoShard::relieve(std::chrono::milliseconds patience) {
  const MutexLock lock(loop_->lent_mutex);
  const auto since = loop_->lent_since;
  if (!since || std::chrono::steady_clock::now() - *since < patience) return false;
  loop_->threads.remove_if([](LoopThread& thread) {
    const bool ended = thread.ended;
    if (ended) thread.thread.join();
    return ended;
  });
  try {
    start_thread(loop_->number + 1);
  } catch (const std::system_error&) {  // the system has none to give now
    loop_->threads.pop_back();
    return false;
  }
  loop_->lent_since.reset();
  ++loop_->number;
  return true;
}

std::uint64_t IoShard::lent_tasks() const {
  const MutexLock lock(loop_->lent_mutex);
  return loop_->lent_tasks;
}

bool IoShard::is_lent() const {
  const MutexLock lock(loop_->lent_mutex);
  return loop_->lent_since.has_value();
}

std::int64_t IoShard::now_ms() { return since_boot_ms(); }

void IoShard::set_timer(WheelTimer& timer, std::int64_t at_ms) {
  loop_->wheel.set(timer, at_ms);
  arm_wheel();
}

void IoShard::arm_wheel() {
  const std::int64_t next = loop_->wheel.next_ms();
  if (next >= loop_->ticker_ms) return;
  loop_->ticker_ms = next;
  loop_->ticker.expires_after(
      std::chrono::milliseconds(std::max(next - now_ms(), std::int64_t{0})));
  loop_->ticker.async_wait([this](boost::system::error_code error) {
    if (error) return;
    loop_->ticker_ms = kNever;
    run_turn([this] { loop_->wheel.run(now_ms()); });
    arm_wheel();
  });
}

void IoShard::defer(Deferred& work) {
  if (!work.is_linked()) loop_->deferred.push_back(work);
  if (in_turn_ || std::exchange(loop_->deferred_posted, true)) return;
  asio::post(loop_->context, [this] {
    loop_->deferred_posted = false;
    run_deferred();
  });
}

void IoShard::run_deferred() {
  if (loop_->deferred.empty()) return;
  // What is deferred meanwhile waits for a turn of its own, behind whatever else is ready.
  DeferredList batch;
  batch.swap(loop_->deferred);
  while (!batch.empty()) {
    Deferred& next = batch.front();
    batch.pop_front();
    next.run_deferred();
  }
}

void IoShard::defer_long(Deferred& work) {
  if (work.is_linked()) return;
  loop_->with_long_work.push_back(work);
  post_long();
}

void IoShard::post_long() {
  if (loop_->with_long_work.empty() || std::exchange(loop_->long_posted, true)) return;
  asio::post(loop_->context, [this] {
    loop_->long_posted = false;
    run_turn([this] {
      if (loop_->with_long_work.empty()) return;  // taken back
      Deferred& next = loop_->with_long_work.front();
      loop_->with_long_work.pop_front();
      next.run_long(std::chrono::steady_clock::now() + kLongTurn);
    });
    post_long();
  });
}

std::span<char> IoShard::scratch() const { return {loop_->scratch.get(), kScratchBytes}; }

boost::asio::io_context& IoShard::context() { return loop_->context; }

void IoShard::block_signals(bool all) const {
  sigset_t signals;
  if (all) {
    sigfillset(&signals);
    // Those a thread brings upon itself must stay deadly, so that a crash is reported as one.
    for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&signals, fault);
  } else {
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace tandem::net
