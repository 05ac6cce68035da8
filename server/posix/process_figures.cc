#include "server/posix/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "server/posix/boot_clock.h"

namespace tandem {

namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// When the process was started, since 1970 (proc(5), field 22 of stat).
std::optional<double> read_start_time() {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // The second field is the program's name, and may hold anything.
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::size_t begin = name_end;
  for (int field = 2; field < 22; ++field) {
    begin = text.find(' ', begin + 1);
    if (begin == std::string::npos) return std::nullopt;
  }
  const double ticks = std::strtod(text.c_str() + begin, nullptr);
  const double since_boot = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double boot =
      std::chrono::duration<double>(now).count() - static_cast<double>(since_boot_us()) / 1e6;
  return boot + since_boot;
}

std::optional<std::uint64_t> count_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  if (error) return std::nullopt;
  std::uint64_t count = 0;
  while (entries != std::filesystem::directory_iterator()) {
    ++count;
    entries.increment(error);
    if (error) return std::nullopt;
  }
  return count - 1;  // without the one that reads the folder
}

}  // namespace

ProcessFigures read_process_figures() {
  ProcessFigures figures;
  // Once: the clock may be set meanwhile, and that is no new start.
  static const std::optional<double> start_time = read_start_time();
  figures.start_time_seconds = start_time;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    figures.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    figures.virtual_bytes = virtual_pages * page;
    figures.resident_bytes = resident_pages * page;
  }
  figures.open_descriptors = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.most_descriptors = limit.rlim_cur;
  return figures;
}

}  // namespace tandem
