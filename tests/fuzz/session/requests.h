#pragma once

#include <string>

#include "tests/fuzz/session/monitor_model.h"
#include "tests/fuzz/session/script.h"

namespace tandem::fuzz {

/// What a command says, as the parameters of requests. Few values, so that they meet often.

/// Operations of one "transact" on D0 or D1, of one to three kinds.
Json operations_of(const Command& command);
/// A condition on the table's columns that are monitored.
MonitorModel::Condition condition_of(const MonitorModel& model, unsigned choice);
/// A monitor of T (or of "_Server"'s Database), at times of other tables too.
Json monitor_requests_of(const MonitorModel& model, unsigned choice);
/// Params that no method expects.
Json odd_params(unsigned choice);

}  // namespace tandem::fuzz
