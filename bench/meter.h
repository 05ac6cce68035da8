#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::bench {

/// Nanoseconds of a monotonic clock.
std::int64_t now_ns();

/// Processor time of a process, all its threads together, so far.
double cpu_seconds(std::int64_t pid);

/// Its memory in use now, bytes.
double resident_bytes(std::int64_t pid);

/// What a server did between two moments: processor time and wall time. `pid` 0: no process, no
/// processor time.
class Meter {
 public:
  explicit Meter(std::int64_t pid) : pid_(pid) {}
  void start();
  void stop();
  double cpu_s() const { return cpu_s_; }
  double wall_s() const { return wall_s_; }

 private:
  std::int64_t pid_;
  double cpu_s_ = 0;
  double wall_s_ = 0;
  std::int64_t started_ns_ = 0;
};

/// Durations, for percentiles.
class Latencies {
 public:
  void add(std::int64_t ns) { ns_.push_back(ns); }
  std::size_t size() const { return ns_.size(); }
  /// `percent` 100 is the longest. Zero when there are none.
  double ms(double percent);
  /// "NAME_p50_ms", "NAME_p99_ms" and "NAME_max_ms".
  void report(class Report& report, const std::string& name);

 private:
  std::vector<std::int64_t> ns_;
};

/// The figures of a run: one JSON object, printed in one line.
class Report {
 public:
  void add(const std::string& name, double value);
  void add(const std::string& name, const std::string& value);
  void print() const;

 private:
  std::string text_;
};

}  // namespace tandem::bench
