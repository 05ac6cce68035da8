#pragma once

#include "bench/meter.h"
#include "bench/options.h"

namespace tandem::bench {

// One function a scenario: runs it against the servers that the options name, adds its figures to
// the report, and throws Void when an answer was wrong. Options that most of them have:
//   --address TARGET   the server        --pid N    its process, whose processor time is taken
//   --count N          transactions      --clients N

void run_transactions(const Options& options, Report& report);
void run_inserts(const Options& options, Report& report);
void run_large_set(const Options& options, Report& report);
void run_fan_out(const Options& options, Report& report);
void run_conditions(const Options& options, Report& report);
void run_download(const Options& options, Report& report);
void run_compaction(const Options& options, Report& report);
void run_idle(const Options& options, Report& report);
void run_lag(const Options& options, Report& report);
void run_failover(const Options& options, Report& report);
void run_mark(const Options& options, Report& report);
void run_await(const Options& options, Report& report);
void run_contents(const Options& options, Report& report);

}  // namespace tandem::bench
