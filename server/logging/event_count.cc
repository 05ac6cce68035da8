#include "server/logging/event_count.h"

#include <fmt/core.h>

#include <vector>

#include "server/posix/mutex.h"

namespace tandem {

namespace {

struct Registry {
  Mutex mutex;
  std::vector<const EventCount*> counts GUARDED_BY(mutex);
};

Registry& registry() {
  static Registry* const registry = new Registry;
  return *registry;
}

/// FNV-1a: two answers with the same hash tell the same.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

}  // namespace

EventCount::EventCount(const char* name) : name_(name) {
  const MutexLock lock(registry().mutex);
  registry().counts.push_back(this);
}

std::map<std::string_view, std::uint64_t> event_totals() {
  std::map<std::string_view, std::uint64_t> totals;
  const MutexLock lock(registry().mutex);
  for (const EventCount* count : registry().counts) totals[count->name()] = count->total();
  return totals;
}

EventRates::EventRates() {
  const MutexLock lock(registry().mutex);
  for (const EventCount* count : registry().counts) histories_[count->name()].count = count;
}

void EventRates::sample() {
  for (auto& [name, history] : histories_) history.totals[next_] = history.count->total();
  next_ = (next_ + 1) % kAnHour;
}

std::string EventRates::show() const {
  constexpr std::size_t kAMinute = 60'000 / kSampleMs;
  std::string lines;
  std::size_t never = 0;
  for (const auto& [name, history] : histories_) {
    const std::uint64_t now = history.count->total();
    if (now == 0) {
      ++never;
      continue;
    }
    // Of whole samples: what came after the last one is in the total only.
    const std::uint64_t last = history.before(1, next_);
    const auto rate = [&, &history = history](std::size_t samples) {
      const auto events = static_cast<double>(last - history.before(samples + 1, next_));
      return events * 1000 / static_cast<double>(static_cast<std::int64_t>(samples) * kSampleMs);
    };
    lines += fmt::format("{:<24} {:>5.1f}/sec {:>9.3f}/sec {:>13.4f}/sec   total: {}\n", name,
                         rate(1), rate(kAMinute), rate(kAnHour - 1), now);
  }
  return fmt::format(
      "Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash={:08x}:\n"
      "{}{} events never hit\n",
      hash_of(lines), lines, never);
}

std::optional<std::uint64_t> EventRates::total(std::string_view name) const {
  const auto found = histories_.find(name);
  if (found == histories_.end()) return std::nullopt;
  return found->second.count->total();
}

}  // namespace tandem
