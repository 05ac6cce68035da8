// The part of Servers that tells of the last survey.

#include <fmt/core.h>

#include <algorithm>

#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

bool Servers::both_are(ServerState::Role role) const {
  return states_[Which::kNb].role == role && states_[Which::kSb].role == role;
}

bool Servers::any_is(ServerState::Role role) const {
  return states_[Which::kNb].role == role || states_[Which::kSb].role == role;
}

bool Servers::any_was_ended() const {
  return states_[Which::kNb].was_ended || states_[Which::kSb].was_ended;
}

bool Servers::both_links_are(std::string_view link) const {
  return states_[Which::kNb].link == link && states_[Which::kSb].link == link;
}

bool Servers::any_link_is(std::string_view link) const {
  return states_[Which::kNb].link == link || states_[Which::kSb].link == link;
}

bool Servers::is_writable() const {
  return std::all_of(kBoth.begin(), kBoth.end(),
                     [this](Which which) {
                       return states_[which].link == "writable" || states_[which].link == "-";
                     }) &&
         any_link_is("writable");
}

bool Servers::backups_are_fit() const {
  return std::all_of(kBoth.begin(), kBoth.end(), [this](Which which) {
    const ServerState& state = states_[which];
    return state.role != ServerState::Role::kBackup ||
           (state.healthy && state.port_problem.empty());
  });
}

std::string Servers::fault() const {
  for (const Which which : kBoth) {
    if (states_[which].damaged)
      return fmt::format("the file of the {} server is damaged", name_of(which));
  }
  for (const Which which : kBoth) {
    if (states_[which].healthy && !states_[which].port_problem.empty())
      return states_[which].port_problem;
  }
  return "a server cannot write to its disk";
}

std::string Servers::deafness() const {
  for (const Which which : kBoth) {
    if (states_[which].role == ServerState::Role::kActive && !states_[which].deaf.empty())
      return states_[which].deaf;
  }
  return "";
}

Copy Servers::copy() const {
  Copy copy;
  for (const Which which : kBoth) copy.databases[which] = states_[which].copy;
  return copy;
}

std::string Servers::roles_text() const {
  return fmt::format("{} and {}", to_string(states_[Which::kNb].role),
                     to_string(states_[Which::kSb].role));
}

}  // namespace tandem::agent
