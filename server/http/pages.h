#pragma once

#include <string_view>

#include "server/control/journal.h"
#include "server/control/server_status.h"
#include "server/http/http_server.h"

namespace tandem::http {

/// The page of a request's target. Of the whole server, or with ?db=NAME of one database:
///
///     /         for people (status_page.h)
///     /active   for load balancers: 200 where writes are accepted, 503 with the reason elsewhere
///     /synced   200 if backups have everything, or this backup has; 503 with what is missing
///     /healthz  200 while disks take writes and files are whole
///     /status   JSON; /metrics: Prometheus
///
/// 404 for others, and for a database that is not here.
Page make_page(std::string_view target, const control::ServerStatus& status,
               const control::Journal& journal);

}  // namespace tandem::http
