// tandem-bench SCENARIO --option value ...: puts one load on a server, checks all that it answers,
// and prints one line of JSON. bench/run starts the servers.

#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include "bench/scenario.h"

int main(int argc, char** argv) {
  using namespace tandem::bench;
  using Scenario = void (*)(const Options&, Report&);
  const std::map<std::string, Scenario> scenarios = {
      {"transactions", run_transactions},
      {"inserts", run_inserts},
      {"large-set", run_large_set},
      {"fan-out", run_fan_out},
      {"conditions", run_conditions},
      {"download", run_download},
      {"compaction", run_compaction},
      {"idle", run_idle},
      {"lag", run_lag},
      {"failover", run_failover},
      {"mark", run_mark},
      {"await", run_await},
      {"contents", run_contents},
  };
  const auto scenario = argc < 2 ? scenarios.end() : scenarios.find(argv[1]);
  if (scenario == scenarios.end()) {
    std::fprintf(stderr, "usage: tandem-bench SCENARIO --option value ...\nscenarios:");
    for (const auto& [name, run] : scenarios) std::fprintf(stderr, " %s", name.c_str());
    std::fprintf(stderr, "\n");
    return 2;
  }
  try {
    Report report;
    scenario->second(Options(argc - 2, argv + 2), report);
    report.print();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "void: %s\n", error.what());
    return 1;
  }
}
