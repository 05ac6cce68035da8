#include "server/backup/backup_services.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace tandem {

BackupServices::Entry& BackupServices::free_entry() {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [](const Entry& entry) { return !entry.followed; });
  if (found != entries_.end()) return *found;
  return entries_.emplace_back(
      Entry{std::make_unique<BackupService>(server_, shard_, tls_), std::nullopt});
}

void BackupServices::follow(std::vector<BackupSource> sources, Task settled) {
  for (Entry& entry : entries_) {
    const auto same =
        entry.kept ? std::find(sources.begin(), sources.end(), *entry.followed) : sources.end();
    entry.kept = false;
    if (same != sources.end()) {
      sources.erase(same);
    } else if (std::exchange(entry.followed, std::nullopt)) {
      entry.service->stop("following another server", [] {});
    }
  }
  const auto pending = std::make_shared<std::size_t>(sources.size() + 1);
  const auto one_less = [this, pending, settled = std::make_shared<Task>(std::move(settled))] {
    home_.post([pending, settled] {
      if (--*pending == 0 && *settled) (*settled)();
    });
  };
  for (BackupSource& source : sources) {
    Entry& entry = free_entry();
    entry.followed = source;
    entry.service->follow(std::move(source), one_less);
  }
  one_less();
}

void BackupServices::stop(const std::string& reason, Task done) {
  keep({}, reason, std::move(done));
}

void BackupServices::keep(const std::vector<BackupSource>& sources, const std::string& reason,
                          Task done) {
  // An entry that follows nobody any more may still have records with the writer.
  const auto pending = std::make_shared<std::atomic<std::size_t>>(entries_.size() + 1);
  const auto one_less = [pending, shared = std::make_shared<Task>(std::move(done))] {
    if (--*pending == 0) (*shared)();
  };
  for (Entry& entry : entries_) {
    entry.kept = entry.followed &&
                 std::find(sources.begin(), sources.end(), *entry.followed) != sources.end();
    if (entry.kept) {
      one_less();
    } else {
      entry.followed.reset();
      entry.service->stop(reason, one_less);
    }
  }
  to_writer_(one_less);
}

void BackupServices::depose_active() {
  for (const Entry& entry : entries_) entry.service->depose_active();
}

std::map<std::string, FollowerStatus> BackupServices::status() const {
  std::map<std::string, FollowerStatus> all;
  for (const Entry& entry : entries_) all.merge(entry.service->status());
  return all;
}

std::string BackupServices::connection_error(const std::string& database) const {
  for (const Entry& entry : entries_) {
    if (entry.service->status().contains(database)) return entry.service->connection_error();
  }
  return "";
}

}  // namespace tandem
