#pragma once

#include <string>

#include "protocol/jsonrpc.h"

namespace tandem::net {

/// How the debug log of module "jsonrpc" shows a message: `notification, method="update3",
/// params=[...]`, `reply, result=[], id=3`.
std::string describe(const JsonRpcMessage& message);

}  // namespace tandem::net
