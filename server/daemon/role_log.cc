#include "server/daemon/role_log.h"

#include <fmt/core.h>

#include <charconv>
#include <string_view>

#include "server/control/facts_report.h"

namespace tandem {

bool RoleLog::note(RoleState state, std::int64_t now_ms) {
  if (state == RoleState::kPromoting || state == RoleState::kDraining) return false;
  if (!changes_.empty() && changes_.front().role == state) return false;
  changes_.insert(changes_.begin(), control::RoleNote{state, now_ms});
  if (changes_.size() > kMost) changes_.pop_back();
  return true;
}

std::vector<std::string> RoleLog::to_texts() const {
  std::vector<std::string> texts;
  for (const control::RoleNote& change : changes_)
    texts.push_back(fmt::format("{} {}", change.at_ms, control::role_name(change.role)));
  return texts;
}

void RoleLog::resume(const std::vector<std::string>& texts) {
  changes_.clear();
  for (const std::string& text : texts) {
    std::int64_t at_ms = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, at_ms);
    if (problem != std::errc() || changes_.size() == kMost) return;
    for (const RoleState role : {RoleState::kActive, RoleState::kExpired, RoleState::kBackup}) {
      if (std::string_view(stop, static_cast<std::size_t>(end - stop)) ==
          fmt::format(" {}", control::role_name(role)))
        changes_.push_back({role, at_ms});
    }
  }
}

}  // namespace tandem
