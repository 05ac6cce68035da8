#pragma once

#include <optional>

#include "server/writer/database_server.h"

namespace tandem {

/// Looks at all copies of a server and promotes them, with nothing in between: opens an epoch in
/// each database that is greater than `above`; in none if a copy goes less far than `least`. If one
/// cannot be promoted, those before it are active already. None is opened if a file is damaged and
/// that is not given up.
///
/// The first database by name decides which copy is ahead where nothing else does (copy_order.h).
/// So it comes last: when another one cannot be promoted, this copy is not ahead in the database
/// that decides, by an epoch in which nobody wrote.
Result<void> open_epochs(DatabaseServer& databases, std::optional<Epoch> above,
                         std::optional<Height> least,
                         DatabaseServer::IfDamaged if_damaged = DatabaseServer::IfDamaged::kRefuse);

}  // namespace tandem
