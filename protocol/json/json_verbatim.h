#pragma once

#include <string>

#include "protocol/json/json_document.h"

namespace tandem {

/// Appends `value` as its text has it, for another server to read: members in their order, numbers
/// with their digits. White space, and members that a later one of the same name supersedes, are
/// left out. (Whoever reads a transaction with several faults names the first one.)
void append_json_verbatim(std::string& out, JsonView value);

}  // namespace tandem
