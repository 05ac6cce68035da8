#include "bench/meter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "bench/void.h"

namespace tandem::bench {

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds(std::int64_t pid) {
  if (pid == 0) return 0;
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(file, line);
  require(!line.empty(), fmt::format("process {} is not there", pid));
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double resident_bytes(std::int64_t pid) {
  if (pid == 0) return 0;
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  double size = 0;
  double resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

void Meter::start() {
  cpu_s_ -= cpu_seconds(pid_);
  started_ns_ = now_ns();
}

void Meter::stop() {
  wall_s_ += static_cast<double>(now_ns() - started_ns_) / 1e9;
  cpu_s_ += cpu_seconds(pid_);
}

double Latencies::ms(double percent) {
  if (ns_.empty()) return 0;
  std::sort(ns_.begin(), ns_.end());
  const double rank = std::ceil(percent / 100 * static_cast<double>(ns_.size())) - 1;
  const auto index = static_cast<std::size_t>(std::max(rank, 0.0));
  return static_cast<double>(ns_[std::min(index, ns_.size() - 1)]) / 1e6;
}

void Latencies::report(Report& report, const std::string& name) {
  report.add(name + "_p50_ms", ms(50));
  report.add(name + "_p99_ms", ms(99));
  report.add(name + "_max_ms", ms(100));
}

void Report::add(const std::string& name, double value) {
  text_ += fmt::format("{}\"{}\": {:.9g}", text_.empty() ? "" : ", ", name, value);
}

void Report::add(const std::string& name, const std::string& value) {
  text_ += fmt::format("{}\"{}\": \"{}\"", text_.empty() ? "" : ", ", name, value);
}

void Report::print() const {
  std::printf("{%s}\n", text_.c_str());
  std::fflush(stdout);
}

}  // namespace tandem::bench
