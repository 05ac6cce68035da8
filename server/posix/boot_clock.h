#pragma once

#include <cstdint>

namespace tandem {

/// The time since the machine started, the time that it slept included (CLOCK_BOOTTIME). Any
/// thread.
std::int64_t since_boot_ms();
std::int64_t since_boot_us();

}  // namespace tandem
