#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <map>

namespace tandem::net {

/// Something that waits for a moment. Destroying it cancels it. One thread.
class WheelTimer : public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  virtual ~WheelTimer() = default;
  /// The timer is off when this is called; it may set itself again.
  virtual void on_timer(std::int64_t now_ms) = 0;
  void cancel_timer() { unlink(); }
  bool timer_set() const { return is_linked(); }
};

/// Timers of a shard, rounded up to ticks, so that 5000 idle connections cost ten wake-ups a second
/// and not 5000 timers of the kernel. A connection does not move its timer when something arrives:
/// it looks, when the timer fires, how much is left. Sans-IO; one thread.
class TimerWheel {
 public:
  static constexpr std::int64_t kTickMs = 100;

  /// Sets `timer`, at the first tick not before `at_ms`; replaces what it was set to.
  void set(WheelTimer& timer, std::int64_t at_ms);
  /// Calls what is due.
  void run(std::int64_t now_ms);
  /// When run() is needed next: the largest time if nothing waits.
  std::int64_t next_ms() const;

 private:
  using Slot = boost::intrusive::list<WheelTimer, boost::intrusive::constant_time_size<false>>;
  std::map<std::int64_t, Slot> slots_;  ///< by the tick's time, ms
};

}  // namespace tandem::net
