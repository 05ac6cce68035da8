// Reads a server's answers.

#include <nlohmann/json.hpp>

#include "ocf/agent/decision/servers.h"
#include "protocol/json/json_reader.h"
#include "protocol/json/value.h"

namespace tandem::agent {

namespace {

std::string text_at(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  const auto* text = member == nullptr ? nullptr : member->get_ptr<const std::string*>();
  return text == nullptr ? "" : *text;
}

bool flag_at(const Json& object, std::string_view name, bool otherwise) {
  const Json* member = find_member(object, name);
  const auto* flag = member == nullptr ? nullptr : member->get_ptr<const bool*>();
  return flag == nullptr ? otherwise : *flag;
}

/// Null also if the member is no object.
const Json* object_at(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  return member != nullptr && member->is_object() ? member : nullptr;
}

/// The entry of a database, or null.
const Json* database_in(const Json& status, const std::string& name) {
  const Json* databases = find_member(status, "databases");
  if (databases == nullptr || !databases->is_array()) return nullptr;
  for (const Json& entry : *databases) {
    if (text_at(entry, "name") == name) return &entry;
  }
  return nullptr;
}

std::string link_of(const Json& database) {
  const Json* follower = object_at(database, "follower");
  if (follower == nullptr) return "idle";
  return flag_at(*follower, "stale", false) ? "stale" : text_at(*follower, "state");
}

std::optional<Copy::Database> copy_at(const Json& database) {
  const Json* member = find_member(database, "position");
  const auto parsed = parse_json(member == nullptr ? "null" : to_text(*member));
  if (!parsed) return std::nullopt;
  const auto position = Position::from_json(*parsed);
  if (!position) return std::nullopt;
  return Copy::Database{position->height(), position->digest, false};
}

}  // namespace

std::optional<ServerState> ServerState::from_status(Which which, std::string_view text) {
  const Result<Json> status = read_json(text);
  if (!status) return std::nullopt;
  const Json* database = database_in(*status, database_of(which));
  if (database == nullptr) return std::nullopt;
  ServerState state;
  if (text_at(*database, "role") == "backup") {
    state.role = Role::kBackup;
    state.link = link_of(*database);
    state.source = text_at(*database, "source");
  } else {
    state.role = Role::kActive;
    const Json* lease = object_at(*status, "lease");
    const bool expired = lease != nullptr && text_at(*lease, "state") == "expired";
    state.link = expired ? "expired" : "writable";
  }
  if (find_member(*status, "node_name") != nullptr) state.node_name = text_at(*status, "node_name");
  if (const Json* health = object_at(*status, "health"))
    state.healthy = flag_at(*health, "writable", true);
  if (const Json* health = object_at(*database, "health"))
    state.damaged = object_at(*health, "damage") != nullptr;
  if (state.damaged) state.link = "damaged";  // also while it takes its contents from the active
  state.copy = copy_at(*database);
  return state;
}

ServerState ServerState::from_sync_status(std::string_view text) {
  ServerState state;
  state.role = Role::kBackup;
  state.link = "connecting";
  if (text.find("state: active") != std::string_view::npos) {
    state.role = Role::kActive;
    state.link = "writable";
  } else if (text.find("replicating: ") != std::string_view::npos) {
    state.link = "replicating";
  }
  return state;
}

std::string to_string(ServerState::Role role) {
  switch (role) {
    case ServerState::Role::kGone:
      return "gone";
    case ServerState::Role::kHung:
      return "hung";
    case ServerState::Role::kActive:
      return "active";
    case ServerState::Role::kBackup:
      return "backup";
  }
  return "";
}

}  // namespace tandem::agent
