#include "tests/simulation/seeded.h"

#include <unistd.h>

#include <cstdlib>
#include <thread>

namespace {
thread_local std::uint64_t entropy = 0;  // of this thread's random UUIDs
}

/// In place of the C library's.
extern "C" ssize_t getrandom(void* buffer, std::size_t size, unsigned) {
  auto* bytes = static_cast<unsigned char*>(buffer);
  for (std::size_t i = 0; i < size; ++i) {
    entropy = entropy * 6364136223846793005ULL + 1442695040888963407ULL;
    bytes[i] = static_cast<unsigned char>(entropy >> 56);
  }
  return static_cast<ssize_t>(size);
}

/// Of jemalloc, if that is the allocator: each seed has a thread, and what one has freed the next
/// one takes, instead of getting fresh pages from the system.
extern "C" const char* malloc_conf;
const char* malloc_conf = "narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:-1";

namespace tandem::simulation {

void run_seeded(std::uint64_t seed, const std::function<void()>& run) {
  std::thread([&] {
    entropy = seed;
    run();
  }).join();
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace tandem::simulation
