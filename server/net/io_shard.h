#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "server/net/timer_wheel.h"
#include "server/session/connection_port.h"

namespace boost::asio {
class io_context;
}

namespace tandem::net {

/// Something to do once at the end of a turn, however often it was asked for. Destroying it takes
/// the wish back.
class Deferred : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~Deferred() = default;
  virtual void run_deferred() = 0;
  /// Some of its long work, until then: see IoShard::defer_long().
  virtual void run_long(std::chrono::steady_clock::time_point /*until*/) {}
  void cancel_deferred() { unlink(); }
};

class ThreadRelief;

/// One I/O thread: an event loop with tasks, timers and descriptors (FdWatcher). Everything but
/// post(), stop() and index() is for the shard's own thread, or for anyone before it starts. It
/// must outlive whatever uses it.
///
/// A task of post_lent() may be blocked by a disk. Then relieve() makes another thread that goes on
/// with the loop; the first one leaves it when the task returns.
class IoShard final : public Shard {
 public:
  explicit IoShard(unsigned index);
  ~IoShard() override;  ///< stops and joins
  IoShard(const IoShard&) = delete;
  IoShard& operator=(const IoShard&) = delete;

  /// Serves in a thread of its own, in which all signals are blocked.
  void start();
  /// Serves in the calling thread until stop(); SIGPIPE is blocked in it.
  void run();
  /// Makes run() return after the task it is in; joins a thread made by start(). Not from the
  /// shard's own thread if start() made it.
  void stop();
  /// For tests: serves what is ready, and waits at most this long for the first event. True if
  /// anything was done.
  bool run_once(std::int64_t timeout_ms);

  void post(Task task) override;
  void post_lent(Task task) override;
  bool take_back() override;
  bool is_current() const override;
  unsigned index() const override { return index_; }

  /// Milliseconds of a monotonic clock; thread-safe.
  static std::int64_t now_ms();
  /// Calls `timer` at the first tick not before `at_ms`.
  void set_timer(WheelTimer& timer, std::int64_t at_ms);
  /// Runs `work` at the end of this turn, once; of the next one if this is the end of a turn
  /// already.
  void defer(Deferred& work);
  /// Gives `work` a turn of some milliseconds for long work, once. One such turn is run at a time,
  /// and then whatever else is ready: however many have long work, others wait for one of them.
  /// Nothing if it is deferred already.
  void defer_long(Deferred& work);
  /// Runs `work` as one turn: every task, timer and event of a descriptor is one.
  template <class Work>
  void run_turn(Work&& work) {
    in_turn_ = true;
    work();
    in_turn_ = false;
    run_deferred();
  }
  /// Memory that whoever runs on the shard may read into, until it returns: connections need no
  /// read buffers.
  std::span<char> scratch() const;

  boost::asio::io_context& context();

  /// Before it starts: is told of each task of post_lent().
  void set_relief(ThreadRelief& relief) { relief_ = &relief; }
  /// Puts another thread in the place of one whose task has not returned for so long. True if it
  /// has. Any other thread, one at a time; not after stop(). Requires that start() was called.
  bool relieve(std::chrono::milliseconds patience);
  /// How many tasks of post_lent() have begun, and whether one is running. Any thread.
  std::uint64_t lent_tasks() const;
  bool is_lent() const;

 private:
  struct Loop;
  struct LoopThread;

  void start_thread(std::uint64_t number);
  /// A thread of the loop, the `number`th.
  void serve(std::uint64_t number);
  void run_lent(Task& task);

  void arm_wheel();
  void run_deferred();
  void post_long();
  void block_signals(bool all) const;

  unsigned index_;
  bool in_turn_ = false;
  ThreadRelief* relief_ = nullptr;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tandem::net
