#include "server/control/disk_watch.h"

#include "server/logging/log.h"

namespace tandem::control {

namespace {
log::Module ovsdb_log("ovsdb_log");
}  // namespace

void DiskWatch::look(const ServerStatus& status) {
  for (const DatabaseStatus& database : status.databases) {
    const bool hangs = database.health.waiting >= storage::LogHealth::kPatience;
    if (hangs && hanging_.insert(database.name).second) {
      ovsdb_log.warn("{}: {}; transactions wait", database.name, database.health.fault());
    } else if (!hangs && hanging_.erase(database.name) > 0) {
      ovsdb_log.info("{}: the disk answers again", database.name);
    }
  }
}

}  // namespace tandem::control
