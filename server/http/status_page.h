#pragma once

#include <string>

#include "server/control/journal.h"
#include "server/control/server_status.h"

namespace tandem::http {

/// The status for people, as HTML that needs no program in the browser: a sentence, what to do, the
/// copies and who follows, remotes, what has happened. It asks for itself again every few seconds.
/// Lists are cut, and say how much is left out.
std::string status_page(const control::ServerStatus& status, const control::Journal& journal);

}  // namespace tandem::http
