#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// What happened in a running server how often, for "coverage/show" (ovs-appctl(8)).
namespace tandem {

/// Counts one kind of event. Define one at namespace scope in a .cc file; it registers itself and
/// lives for the whole process. Thread-safe, one relaxed addition an event: for what happens once a
/// message, not once a row.
class EventCount {
 public:
  explicit EventCount(const char* name);
  EventCount(const EventCount&) = delete;
  EventCount& operator=(const EventCount&) = delete;

  void add(std::uint64_t events = 1) noexcept {
    total_.fetch_add(events, std::memory_order_relaxed);
  }
  std::uint64_t total() const noexcept { return total_.load(std::memory_order_relaxed); }
  std::string_view name() const noexcept { return name_; }

 private:
  const char* const name_;
  std::atomic<std::uint64_t> total_ = 0;
};

/// How often each kind of event has happened, by name.
std::map<std::string_view, std::uint64_t> event_totals();

/// How often lately: remembers the totals of the last hour. Sans clock: whoever owns it samples
/// every kSampleMs. One thread.
class EventRates {
 public:
  static constexpr std::int64_t kSampleMs = 5000;

  EventRates();
  void sample();
  /// The answer of "coverage/show".
  std::string show() const;
  /// Nothing if no count has this name.
  std::optional<std::uint64_t> total(std::string_view name) const;

 private:
  static constexpr std::size_t kAnHour = 3'600'000 / kSampleMs;

  /// Totals by time, a ring.
  struct History {
    const EventCount* count;
    std::array<std::uint64_t, kAnHour> totals{};
    std::uint64_t before(std::size_t samples, std::size_t next) const {
      return totals[(next + kAnHour - samples) % kAnHour];
    }
  };

  std::map<std::string_view, History> histories_;
  std::size_t next_ = 0;  ///< where the next sample goes, which is where the oldest is
};

}  // namespace tandem
