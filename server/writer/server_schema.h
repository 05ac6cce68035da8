#pragma once

#include "protocol/schema.h"

namespace tandem {

/// Schema of the "_Server" database, ovsdb-server(5).
const SchemaRef& server_schema();

}  // namespace tandem
