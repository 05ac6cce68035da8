#include "server/control/sessions_command.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <tuple>

#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// Clients that people are shown.
constexpr std::size_t kMostShownSessions = 100;
/// Bytes of a cell; the last one may be longer.
constexpr std::size_t kWidestCell = 40;

using Cells = std::array<std::string, 8>;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + printable(word);
  return text;
}

std::string locks_text(const SessionFacts& session) {
  std::string text = joined(session.locks);
  if (!session.awaited.empty())
    text += fmt::format("{}waits for {}", text.empty() ? "" : ", ", joined(session.awaited));
  return text.empty() ? "-" : text;
}

/// The part that the client plays: a backup, say.
std::string kind_of(const SessionFacts& session) {
  if (session.is_backup) return "backup";
  return session.role.empty() ? "-" : printable(session.role, kWidestCell);
}

Cells cells_of(const SessionFacts& session) {
  const std::string name =
      session.peer_id.empty() ? session.name : session.name + " " + session.peer_id;
  return {printable(name, kWidestCell),
          printable(session.remote, kWidestCell),
          kind_of(session),
          fmt::format("{}", session.requests),
          fmt::format("{}", session.under_way),
          fmt::format("{}{}", session.unsent_bytes, session.is_behind ? " slow" : ""),
          fmt::format("{}", session.monitors),
          locks_text(session)};
}

void show_sessions(RoleControl& server, const Arguments& arguments, const Reply& reply) {
  const bool json =
      arguments == Arguments{"--format", "json"} || arguments == Arguments{"--format=json"};
  if (!json && !arguments.empty() && arguments != Arguments{"--format", "text"})
    return reply.error("unexpected argument " + arguments[0]);
  server.sessions([json, reply](const std::vector<SessionFacts>& sessions) {
    reply.text(json ? to_text(sessions_json(sessions)) + "\n" : sessions_text(sessions));
  });
}

}  // namespace

std::string sessions_text(std::vector<SessionFacts> sessions) {
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const SessionFacts& a, const SessionFacts& b) {
                     return std::tie(a.unsent_bytes, a.under_way, a.requests) >
                            std::tie(b.unsent_bytes, b.under_way, b.requests);
                   });
  std::vector<Cells> lines{
      {"CLIENT", "REMOTE", "ROLE", "REQUESTS", "OPEN", "UNSENT", "MONITORS", "LOCKS"}};
  for (const SessionFacts& session : sessions) {
    if (lines.size() > kMostShownSessions) break;
    lines.push_back(cells_of(session));
  }
  std::array<std::size_t, std::tuple_size_v<Cells>> widths{};
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string out;
  for (const Cells& cells : lines) {
    for (std::size_t i = 0; i + 1 < cells.size(); ++i)
      out += fmt::format("{:<{}}  ", cells[i], widths[i]);
    out += cells.back() + '\n';
  }
  if (sessions.size() > kMostShownSessions)
    out += fmt::format("and {} more clients\n", sessions.size() - kMostShownSessions);
  return out;
}

OrderedJson sessions_json(const std::vector<SessionFacts>& sessions) {
  const auto names = [](const std::vector<std::string>& words) {
    OrderedJson array = OrderedJson::array();
    for (const std::string& word : words) array.push_back(printable(word));
    return array;
  };
  OrderedJson all = OrderedJson::array();
  for (const SessionFacts& session : sessions) {
    all.push_back({{"name", printable(session.name)},
                   {"remote", printable(session.remote)},
                   {"certificate", printable(session.peer_id)},
                   {"role", printable(session.role)},
                   {"backup", session.is_backup},
                   {"requests", session.requests},
                   {"under_way", session.under_way},
                   {"unsent_bytes", session.unsent_bytes},
                   {"behind", session.is_behind},
                   {"monitors", session.monitors},
                   {"locks", names(session.locks)},
                   {"awaited_locks", names(session.awaited)}});
  }
  return {{"sessions", std::move(all)}};
}

void add_sessions_command(CommandRegistry& registry, RoleControl& server) {
  registry.add("tandem/sessions", "[--format text|json]", 0, 2,
               [&server](const Arguments& arguments, const Reply& reply) {
                 show_sessions(server, arguments, reply);
               });
}

}  // namespace tandem::control
