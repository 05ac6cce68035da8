#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/value.h"

namespace tandem::ctl {

/// The names that `crm_node -l` prints: a line "ID NAME STATE" a node, those that are lost, too.
std::vector<std::string> read_node_list(std::string_view output);

/// The nodes of the Pacemaker cluster that this host belongs to. Nothing if there is none, or it
/// does not say in time. Blocks.
std::vector<std::string> cluster_nodes(std::chrono::milliseconds timeout);

/// Where the servers of other nodes have their status pages, HOST:PORT each: at the ports of this
/// host's servers, whose `statuses` these are. Under Pacemaker all nodes have the same.
std::vector<std::string> neighbours(const std::vector<Json>& statuses,
                                    const std::vector<std::string>& nodes);

}  // namespace tandem::ctl
