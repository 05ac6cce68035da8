// The model's scheduler and Debian's crm_simulate make the same plans of random clusters: the same
// actions, the same order between any two, the same lists in notifications.

#include <fmt/core.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "tests/simulation/pacemaker/plan.h"
#include "tests/simulation/pacemaker/random_cluster.h"
#include "tests/simulation/pacemaker/scheduler.h"

namespace tandem::simulation::pacemaker {
namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST_CASE("crm_simulate plans as the model does", "[differential]") {
  const std::uint64_t first = setting("TANDEM_SEED", 1);
  const std::uint64_t count = setting("TANDEM_SEEDS", 100);
  const std::string scratch = fmt::format("/tmp/tandem-plans-{}", getpid());
  std::filesystem::create_directories(scratch);
  const auto compare = [&](const ClusterState& state) {
    Plan theirs = simulated_plan(state, scratch);
    leave_out_ends_of_failed_monitors(theirs, state);
    return difference(to_plan(state, schedule(state)), theirs);
  };
  std::uint64_t same = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    World world(seed);
    const ClusterState state = random_cluster(world);
    if (compare(state).empty()) {
      ++same;
      continue;
    }
    const ClusterState least =
        shrunk(state, [&](const ClusterState& simpler) { return !compare(simpler).empty(); });
    INFO("seed " << seed << '\n' << describe(least));
    CHECK(compare(least) == "");
  }
  CHECK(same == count);
  std::filesystem::remove_all(scratch);
}

}  // namespace
}  // namespace tandem::simulation::pacemaker
