#pragma once

#include <functional>

#include "server/control/command_registry.h"
#include "server/logging/event_count.h"

namespace tandem::control {

/// Registers what every Open vSwitch daemon has (ovs-appctl(8), Common Commands): version, exit,
/// vlog/*, coverage/*. `on_exit` is called after the answer to "exit" has been handed over.
/// `events` outlives the registry.
void add_standard_commands(CommandRegistry& registry, const EventRates& events,
                           std::function<void()> on_exit);

}  // namespace tandem::control
