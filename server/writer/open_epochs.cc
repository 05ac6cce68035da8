#include "server/writer/open_epochs.h"

#include <fmt/core.h>

namespace tandem {

Result<void> open_epochs(DatabaseServer& databases, std::optional<Epoch> above,
                         std::optional<Height> least, DatabaseServer::IfDamaged if_damaged) {
  for (const auto& [name, database] : databases.databases()) {
    if (Result<void> may = DatabaseServer::may_promote(*database, if_damaged); !may) return may;
    const Height held = database->stored->position().height();
    if (database->is_built_in() || database->is_relay() || !least || held >= *least) continue;
    return Error{fmt::format("{} is at {}, behind {}: refusing to promote", name, held.to_string(),
                             least->to_string()),
                 "", std::nullopt};
  }
  const auto& all = databases.databases();
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    ServedDatabase& database = *entry->second;
    if (database.is_built_in()) continue;
    if (Result<void> opened = databases.promote(database, above, if_damaged); !opened)
      return opened;
  }
  return {};
}

}  // namespace tandem
