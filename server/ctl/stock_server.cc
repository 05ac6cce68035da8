#include "server/ctl/stock_server.h"

#include <fmt/core.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "server/logging/printable.h"

namespace tandem::ctl {

namespace {

/// What sync-status says of one database, or of all.
using Facts = std::map<std::string, std::string>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// Lines "KEY: VALUE". Whichever key stands first, "state" or "database", begins each part.
std::vector<Facts> parts_of(const std::string& sync_status) {
  std::vector<Facts> parts;
  std::string first;
  for (const std::string& line : lines_of(sync_status)) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    if (first.empty()) first = key;
    if (key == first) parts.emplace_back();
    parts.back()[key] = line.substr(colon + 2);
  }
  return parts;
}

/// The part about that database, or the one about all.
Facts facts_of(const std::vector<Facts>& parts, const std::string& database) {
  for (const Facts& facts : parts) {
    const auto name = facts.find("database");
    if (name == facts.end() || name->second == database) return facts;
  }
  return {};
}

Json database_of(const std::string& name, const Facts& facts) {
  Json database = {{"name", name}};
  const auto state = facts.find("state");
  const bool is_backup = state != facts.end() && state->second == "backup";
  database["role"] = is_backup ? "backup" : "active";
  database["writable"] = !is_backup;
  if (!is_backup) return database;
  Json follower = {{"state", "connecting"}, {"mode", "monitor"}};
  for (const char* link : {"replicating", "connecting"}) {
    const auto source = facts.find(link);
    if (source == facts.end()) continue;
    database["source"] = source->second;
    follower["state"] = link;
  }
  database["follower"] = std::move(follower);
  return database;
}

Result<std::string> ask(const std::string& socket, const std::string& command,
                        const std::vector<std::string>& arguments,
                        std::chrono::milliseconds timeout) {
  const auto answer = run_command(socket, command, arguments, timeout);
  if (answer.has_error()) return answer.error();
  if (answer->is_error) return Error{answer->text, "", std::nullopt};
  return {boost::system::in_place_value, answer->text};
}

std::string text_of(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  const auto* text = member != nullptr ? member->get_ptr<const std::string*>() : nullptr;
  return text != nullptr ? printable(*text) : "";
}

}  // namespace

bool is_unknown_command(const Answer& answer) {
  return answer.is_error && answer.text.find("is not a valid command") != std::string::npos;
}

std::string stock_command_for(const std::string& command) {
  if (command == "tandem/promote") return "ovsdb-server/disconnect-active-ovsdb-server";
  if (command == "tandem/demote") {
    return "ovsdb-server/set-active-ovsdb-server REMOTE, then "
           "ovsdb-server/connect-active-ovsdb-server";
  }
  if (command == "tandem/wait-synced") return "ovsdb-server/sync-status";
  return "";
}

Json read_stock_status(const std::string& version, const std::string& databases,
                       const std::string& sync_status) {
  const std::vector<Facts> parts = parts_of(sync_status);
  Json status = {{"version", version.substr(0, version.find('\n'))}, {"databases", Json::array()}};
  for (const std::string& name : lines_of(databases)) {
    if (name.starts_with('_')) continue;  // built in
    status["databases"].push_back(database_of(name, facts_of(parts, name)));
  }
  return status;
}

Result<Json> stock_status(const std::string& socket, std::chrono::milliseconds timeout) {
  const auto version = ask(socket, "version", {}, timeout);
  if (version.has_error()) return version.error();
  const auto databases = ask(socket, "ovsdb-server/list-dbs", {}, timeout);
  if (databases.has_error())
    return Error{socket + ": this is no database server", "", std::nullopt};
  for (const std::string& name : lines_of(*databases)) {
    if (ask(socket, "cluster/status", {name}, timeout).has_error()) continue;
    return Error{fmt::format("{} is clustered: \"cluster/status {}\" tells of it", name, name), "",
                 std::nullopt};
  }
  const auto sync_status = ask(socket, "ovsdb-server/sync-status", {}, timeout);
  if (sync_status.has_error()) return sync_status.error();
  return read_stock_status(*version, *databases, *sync_status);
}

std::string stock_status_text(const Json& status) {
  std::string out = fmt::format("server: {}, not Tandem\n", text_of(status, "version"));
  for (const Json& database : status.at("databases")) {
    out += fmt::format("database: {}\n  role: {}\n", text_of(database, "name"),
                       text_of(database, "role"));
    if (const std::string source = text_of(database, "source"); !source.empty())
      out += fmt::format("  source: {}\n", source);
    if (const Json* follower = find_member(database, "follower"); follower != nullptr)
      out += fmt::format("  follows: {}\n", text_of(*follower, "state"));
  }
  return out;
}

}  // namespace tandem::ctl
