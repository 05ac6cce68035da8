// Whole clusters in one process, one a seed. What must hold, whatever the seed: with the gate on
// and a manager that obeys, no acknowledged write is lost, nor one that a reader of the active saw
// (where power fails and no copy has the most of both databases, none of the first);
// otherwise none is lost but into a file that was set aside, and with a manager that obeys only
// those that the status had shown as not replicated; servers with equal digests have equal
// contents; readers are told what is; and in the end all servers are equal.

#include <fmt/core.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <exception>
#include <thread>

#include "server/logging/vlog.h"
#include "tests/simulation/run.h"

namespace {
thread_local std::uint64_t entropy = 0;  // of this thread's random UUIDs
}

/// The seed decides UUIDs too: each run has a thread of its own, whose generator this feeds.
extern "C" ssize_t getrandom(void* buffer, std::size_t size, unsigned) {
  auto* bytes = static_cast<unsigned char*>(buffer);
  for (std::size_t i = 0; i < size; ++i) {
    entropy = entropy * 6364136223846793005ULL + 1442695040888963407ULL;
    bytes[i] = static_cast<unsigned char>(entropy >> 56);
  }
  return static_cast<ssize_t>(size);
}

namespace tandem::simulation {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

struct Outcome {
  std::string scenario;
  std::vector<std::string> broken;
  std::size_t acknowledged = 0;
};

Outcome run_seed(std::uint64_t seed) {
  Outcome outcome;
  std::thread([&] {
    entropy = seed;
    try {
      Run run(seed);
      outcome.scenario = run.scenario().to_string();
      outcome.broken = run.run();
      outcome.acknowledged = run.acknowledged();
    } catch (const std::exception& error) {
      outcome.broken.emplace_back(error.what());
    }
  }).join();
  return outcome;
}

/// How many runs, and from which seed on: TANDEM_SEEDS and TANDEM_SEED in the environment.
TEST_CASE("whatever the seed, clusters keep what they promise") {
  static_cast<void>(log::apply_spec("off"));
  const std::uint64_t first = setting("TANDEM_SEED", 1);
  const std::uint64_t count = setting("TANDEM_SEEDS", 500);
  std::size_t acknowledged = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome outcome = run_seed(seed);
    acknowledged += outcome.acknowledged;
    std::string broken;
    for (const std::string& promise : outcome.broken) broken += promise + '\n';
    if (broken.empty()) continue;
    INFO("seed " << seed << ": " << outcome.scenario);
    CHECK(broken == "");
  }
  CHECK(acknowledged > 10 * count);
}

TEST_CASE("a seed gives the same run each time") {
  static_cast<void>(log::apply_spec("off"));
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    CHECK(run_seed(seed).acknowledged == run_seed(seed).acknowledged);
}

}  // namespace
}  // namespace tandem::simulation
