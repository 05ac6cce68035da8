#pragma once

#include <string>

#include "server/ctl/verdict.h"

namespace tandem::ctl {

/// The text as a terminal shows it in the colour of the level: green, yellow or red.
std::string painted(Level level, const std::string& text);

/// A server's status for people, with its troubles in red.
std::string painted_status(const std::string& text);

}  // namespace tandem::ctl
