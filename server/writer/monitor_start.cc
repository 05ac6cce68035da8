#include "server/writer/monitor_start.h"

namespace tandem {

Result<MonitorStart> monitor_start(const Catalogue& catalogue, const NewMonitor& monitor,
                                   std::size_t unpublished) {
  const ServedDatabase* const served = catalogue.find(monitor.database);
  if (served == nullptr) return Error{"unknown database", "", std::nullopt};
  const History& history = served->stored->history();
  MonitorStart start;
  start.database = served->info;
  start.snapshot = served->stored->database().snapshot();
  // A short history may not know the id of what is published any more. Only monitor_cond_since
  // needs it.
  if (unpublished <= history.size()) start.last_id = history.id_before(unpublished);
  if (monitor.since) start.since = history.since(*monitor.since);
  if (start.since) {
    if (start.since->size() < unpublished) {
      start.since.reset();  // the commit with this id is not published
    } else {
      start.since->resize(start.since->size() - unpublished);
    }
  }
  return start;
}

}  // namespace tandem
