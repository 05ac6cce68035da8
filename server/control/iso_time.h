#pragma once

#include <chrono>
#include <string>

namespace tandem::control {

/// "2026-11-29T20:21:48.123Z"
std::string iso_time(std::chrono::system_clock::time_point time);

}  // namespace tandem::control
