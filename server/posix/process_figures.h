#pragma once

#include <cstdint>
#include <optional>

namespace tandem {

/// What this process takes of the machine. What the system does not tell is missing.
struct ProcessFigures {
  std::optional<double> cpu_seconds;         ///< of all threads, in the program and in the kernel
  std::optional<double> start_time_seconds;  ///< since 1970; the same for the whole process
  std::optional<std::uint64_t> resident_bytes;
  std::optional<std::uint64_t> virtual_bytes;
  std::optional<std::uint64_t> open_descriptors;
  std::optional<std::uint64_t> most_descriptors;  ///< that it may open
};

/// Any thread; waits for no disk.
ProcessFigures read_process_figures();

}  // namespace tandem
