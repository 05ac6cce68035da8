#include "server/backup/backup_services.h"

#include <atomic>
#include <utility>

namespace tandem {

BackupService& BackupServices::service(std::size_t index) {
  while (services_.size() <= index)
    services_.push_back(std::make_unique<BackupService>(server_, shard_, tls_));
  return *services_[index];
}

void BackupServices::follow(std::vector<BackupSource> sources, Task settled) {
  const auto pending = std::make_shared<std::size_t>(sources.size() + 1);
  const auto one_less = [this, pending, settled = std::make_shared<Task>(std::move(settled))] {
    home_.post([pending, settled] {
      if (--*pending == 0 && *settled) (*settled)();
    });
  };
  for (std::size_t i = 0; i < sources.size(); ++i)
    service(i).follow(std::move(sources[i]), one_less);
  for (std::size_t i = sources.size(); i < services_.size(); ++i)
    services_[i]->stop("following nobody", [] {});
  one_less();
}

void BackupServices::stop(const std::string& reason, Task done) {
  if (services_.empty()) return to_writer_(std::move(done));
  const auto pending = std::make_shared<std::atomic<std::size_t>>(services_.size());
  const auto shared = std::make_shared<Task>(std::move(done));
  for (const auto& service : services_) {
    service->stop(reason, [pending, shared] {
      if (--*pending == 0) (*shared)();
    });
  }
}

void BackupServices::depose_active() {
  for (const auto& service : services_) service->depose_active();
}

std::map<std::string, FollowerStatus> BackupServices::status() const {
  std::map<std::string, FollowerStatus> all;
  for (const auto& service : services_) all.merge(service->status());
  return all;
}

std::string BackupServices::connection_error(const std::string& database) const {
  for (const auto& service : services_) {
    if (service->status().contains(database)) return service->connection_error();
  }
  return "";
}

}  // namespace tandem
