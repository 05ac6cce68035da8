// Reads a server's answers.

#include <boost/json/parse.hpp>

#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

namespace {

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_string() ? std::string(found->as_string()) : "";
}

bool flag_at(const json::object& object, std::string_view name, bool otherwise) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_bool() ? found->as_bool() : otherwise;
}

const json::object* object_at(const json::object& object, std::string_view name) {
  const json::value* found = object.if_contains(name);
  return found != nullptr && found->is_object() ? &found->as_object() : nullptr;
}

/// The entry of a database, or null.
const json::object* database_in(const json::object& status, const std::string& name) {
  const json::value* databases = status.if_contains("databases");
  if (databases == nullptr || !databases->is_array()) return nullptr;
  for (const json::value& entry : databases->as_array()) {
    if (entry.is_object() && text_at(entry.as_object(), "name") == name) return &entry.as_object();
  }
  return nullptr;
}

std::string link_of(const json::object& database) {
  const json::object* follower = object_at(database, "follower");
  if (follower == nullptr) return "idle";
  return flag_at(*follower, "stale", false) ? "stale" : text_at(*follower, "state");
}

}  // namespace

std::optional<ServerState> ServerState::from_status(Which which, std::string_view text) {
  boost::system::error_code problem;
  const json::value status = json::parse(text, problem);
  if (problem || !status.is_object()) return std::nullopt;
  const json::object* database = database_in(status.as_object(), database_of(which));
  if (database == nullptr) return std::nullopt;
  ServerState state;
  if (text_at(*database, "role") == "backup") {
    state.role = Role::kBackup;
    state.link = link_of(*database);
    state.source = text_at(*database, "source");
  } else {
    state.role = Role::kActive;
    const json::object* lease = object_at(status.as_object(), "lease");
    const bool expired = lease != nullptr && text_at(*lease, "state") == "expired";
    state.link = expired ? "expired" : "writable";
  }
  if (status.as_object().contains("node_name"))
    state.node_name = text_at(status.as_object(), "node_name");
  if (const json::object* health = object_at(status.as_object(), "health"))
    state.healthy = flag_at(*health, "writable", true);
  if (const json::object* health = object_at(*database, "health"))
    state.damaged = object_at(*health, "damage") != nullptr;
  if (state.damaged) state.link = "damaged";  // also while it takes its contents from the active
  if (const json::value* position = database->if_contains("position")) {
    if (const auto read = Position::from_json(*position))
      state.copy = Copy::Database{read->height(), read->digest, false};
  }
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
