#include "server/forwarding/backup_forwards.h"

#include <algorithm>
#include <utility>

namespace tandem {

std::shared_ptr<Forwards> BackupForwards::add(const std::string& database) {
  auto forwards = std::make_shared<Forwards>(database, Forwards::Copy::kBackup, port_);
  forwards_.insert_or_assign(database, forwards);
  return forwards;
}

void BackupForwards::remove(const std::string& database) {
  if (const auto found = forwards_.extract(database))
    found.mapped()->end("the database was removed");
}

void BackupForwards::on_status(const std::map<std::string, FollowerStatus>& status) {
  for (const auto& [database, forwards] : forwards_) {
    const auto follower = status.find(database);
    const bool can = follower != status.end() && follower->second.knows_active() &&
                     follower->second.mode == FollowerStatus::Mode::kStream;
    if (can) {
      forwards->open();
    } else {
      forwards->pause();
    }
  }
}

void BackupForwards::on_handed_on(const std::string& database, const Height& height) {
  const auto found = forwards_.find(database);
  if (found != forwards_.end()) found->second->on_handed_on(height);
}

bool BackupForwards::on_message(const JsonRpcMessage& message) {
  return std::any_of(forwards_.begin(), forwards_.end(), [&](const auto& entry) {
    return message.kind == JsonRpcMessage::Kind::kNotification
               ? entry.second->on_notification(message)
               : entry.second->on_answer(message);
  });
}

void BackupForwards::on_disconnected(const std::string& reason) {
  for (const auto& [database, forwards] : forwards_) forwards->close(reason);
}

void BackupForwards::end(const std::string& reason) {
  for (const auto& [database, forwards] : std::exchange(forwards_, {})) forwards->end(reason);
}

}  // namespace tandem
