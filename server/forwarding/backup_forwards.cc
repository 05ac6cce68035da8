#include "server/forwarding/backup_forwards.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace tandem {
namespace {

constexpr std::string_view kIdPrefix = "forwarded-";

}  // namespace

std::shared_ptr<Forwards> BackupForwards::add(const std::string& database) {
  auto forwards =
      std::make_shared<Forwards>(database, Forwards::Copy::kBackup,
                                 fmt::format("{}{}-", kIdPrefix, ++added_), most_bytes_, port_);
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
      continue;
    }
    forwards->pause();
    const bool has_stream = follower != status.end() &&
                            follower->second.state != FollowerStatus::State::kRefused &&
                            follower->second.mode != FollowerStatus::Mode::kMonitor;
    if (!has_stream) forwards->lose_records("its records do not come any more");
  }
}

void BackupForwards::on_handed_on(const std::string& database, const Height& height) {
  const auto found = forwards_.find(database);
  if (found != forwards_.end()) found->second->on_handed_on(height);
}

bool BackupForwards::on_message(const JsonRpcMessage& message) {
  const bool is_answer =
      message.kind == JsonRpcMessage::Kind::kReply || message.kind == JsonRpcMessage::Kind::kError;
  const bool taken = std::any_of(forwards_.begin(), forwards_.end(), [&](const auto& entry) {
    return is_answer ? entry.second->on_answer(message) : entry.second->on_notification(message);
  });
  // The answers that a database had not got when it was removed are nobody's.
  return taken || (is_answer && message.id.text().starts_with('"' + std::string(kIdPrefix)));
}

void BackupForwards::on_writable() {
  for (const auto& [database, forwards] : forwards_) forwards->on_writable();
}

void BackupForwards::tick(std::int64_t now_ms) {
  for (const auto& [database, forwards] : forwards_) forwards->tick(now_ms);
}

void BackupForwards::on_disconnected(const std::string& reason) {
  for (const auto& [database, forwards] : forwards_) forwards->close(reason);
}

void BackupForwards::end(const std::string& reason) {
  for (const auto& [database, forwards] : std::exchange(forwards_, {})) forwards->end(reason);
}

}  // namespace tandem
