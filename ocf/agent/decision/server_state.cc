// Reads a server's answers.

#include <fmt/core.h>

#include <cerrno>
#include <cstring>

#include "ocf/agent/decision/servers.h"
#include "protocol/json/json_reader.h"

namespace tandem::agent {

namespace {

std::string text_at(JsonView object, std::string_view name) {
  const JsonView member = object.find(name);
  return member.is_string() ? std::string(member.get_string()) : "";
}

bool flag_at(JsonView object, std::string_view name, bool otherwise) {
  const JsonView member = object.find(name);
  return member.is_bool() ? member.get_bool() : otherwise;
}

/// The entry of a database; absent if there is none.
JsonView database_in(JsonView status, const std::string& name) {
  const JsonView databases = status.find("databases");
  if (!databases.is_array()) return nullptr;
  for (const JsonView entry : databases.elements()) {
    if (text_at(entry, "name") == name) return entry;
  }
  return nullptr;
}

std::string link_of(JsonView database) {
  const JsonView follower = database.find("follower");
  if (!follower.is_object()) return "idle";
  return flag_at(follower, "stale", false) ? "stale" : text_at(follower, "state");
}

std::optional<Copy::Database> copy_at(JsonView database) {
  const auto position = Position::from_json(database.find("position"));
  if (!position) return std::nullopt;
  return Copy::Database{position->height(), position->digest, false};
}

/// The address is another node's until the cluster moves it here.
void read_remotes(JsonView remotes, ServerState& state) {
  if (!remotes.is_array()) return;
  for (const JsonView remote : remotes.elements()) {
    const std::string target = text_at(remote, "target");
    const std::string problem = text_at(remote, "problem");
    if (!target.starts_with("ptcp:") && !target.starts_with("pssl:")) continue;
    if (text_at(remote, "state") == "listening") {
      state.listening.push_back(target);
    } else if (!problem.empty() && problem != std::strerror(EADDRNOTAVAIL)) {
      state.deaf = fmt::format("{}: {}", target, problem);
    }
  }
}

}  // namespace

std::optional<ServerState> ServerState::from_status(Which which, std::string_view text) {
  const Result<JsonDocument> document = parse_json(text);
  if (!document) return std::nullopt;
  const JsonView status = *document;
  const JsonView database = database_in(status, database_of(which));
  if (!database) return std::nullopt;
  ServerState state;
  if (text_at(database, "role") == "backup") {
    state.role = Role::kBackup;
    state.link = link_of(database);
    state.source = text_at(database, "source");
  } else {
    state.role = Role::kActive;
    const bool expired = text_at(status.find("lease"), "state") == "expired";
    state.link = expired ? "expired" : "writable";
  }
  if (status.find("node_name")) state.node_name = text_at(status, "node_name");
  state.healthy = flag_at(status.find("health"), "writable", true);
  state.damaged = database.find("health").find("damage").is_object();
  if (state.damaged) state.link = "damaged";  // also while it takes its contents from the active
  state.copy = copy_at(database);
  read_remotes(status.find("remotes"), state);
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
