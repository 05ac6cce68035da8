#pragma once

#include "protocol/json/value.h"
#include "replication/position.h"

namespace tandem::control {

/// {"epoch", "index", "digest"}
OrderedJson position_json(const Position& position);

}  // namespace tandem::control
