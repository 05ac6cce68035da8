#pragma once

#include <cstdint>
#include <functional>

namespace tandem::simulation {

/// Runs that on a thread of its own, where random UUIDs, too, follow from the seed.
void run_seeded(std::uint64_t seed, const std::function<void()>& run);

/// A number in the environment, such as TANDEM_SEED.
std::uint64_t setting(const char* name, std::uint64_t otherwise);

}  // namespace tandem::simulation
