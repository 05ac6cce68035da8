#pragma once

#include <string>

#include "protocol/error.h"

namespace tandem {

/// Becomes the user and group of "USER", "USER:GROUP" or ":GROUP" (ovsdb-server(1), --user),
/// keeping the rights to bind low ports and to lock memory; the open log file goes along. Requires
/// root. Fails with ovsdb-server's text.
Result<void> become_user(const std::string& spec);

}  // namespace tandem
