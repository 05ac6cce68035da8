#pragma once

#include <string>

#include "server/control/lag_history.h"

namespace tandem::http {

/// A small line of how far a backup was behind, as SVG within a page. Where it was not there the
/// line has a gap. Empty if nothing is known.
std::string lag_drawing(const control::LagHistory::Line& line);

}  // namespace tandem::http
