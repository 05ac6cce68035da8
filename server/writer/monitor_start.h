#pragma once

#include <cstddef>

#include "server/writer/catalogue.h"
#include "server/writer/client_port.h"

namespace tandem {

/// A monitor's first answer, from the present rows. `unpublished`: so many of the newest commits in
/// the history are not in these. Error "unknown database".
Result<MonitorStart> monitor_start(const Catalogue& catalogue, const NewMonitor& monitor,
                                   std::size_t unpublished = 0);

}  // namespace tandem
