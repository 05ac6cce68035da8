#pragma once

#include <memory>

#include "server/database/database.h"

namespace tandem {

/// A database with the rows of another and a new schema, as "convert" of ovsdb-client(1) and
/// ovsdb-tool(1) makes it: tables and columns that the schema has not are dropped, those that are
/// new have their defaults, values must fit the new types, and all rules of a commit hold. Rows
/// keep their UUIDs and ephemeral columns, and get new versions. Any one thread.
Result<std::unique_ptr<Database>> convert_database(const Snapshot& from, const SchemaRef& to);

}  // namespace tandem
