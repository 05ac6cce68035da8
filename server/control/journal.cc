#include "server/control/journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "server/control/human_text.h"
#include "server/logging/log.h"
#include "server/logging/rate_limit.h"

namespace tandem::control {

namespace {

log::Module server_log("ovsdb_server");

void log_line(bool warning, const std::string& text) {
  if (warning) {
    server_log.warn("{}", text);
  } else {
    server_log.info("{}", text);
  }
}

/// With what is to be done.
std::string full_text(const Concern& concern) {
  return concern.advice.empty() ? concern.to_string()
                                : fmt::format("{} - {}", concern.to_string(), concern.advice);
}

}  // namespace

void Journal::look(const ServerStatus& status) {
  // At the start only the roles that it had are news, also those of before a crash.
  for (Event& event : events_between(before_.value_or(ServerStatus()), status)) {
    if (before_ || event.kind == Event::Kind::kRole) add(std::move(event));
  }
  look_at_concerns(status);
  lags_.look(status);
  before_ = status;
}

std::optional<std::int64_t> Journal::since(const Concern& concern) const {
  const auto found = lasting_.find(concern.topic);
  if (found == lasting_.end()) return std::nullopt;
  return found->second.since_ms;
}

std::vector<Event> Journal::events() const {
  std::vector<Event> events(events_.rbegin(), events_.rend());
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.at_ms > b.at_ms; });
  return events;
}

void Journal::add(Event event) {
  // Backups come and go as they like, and a gate may miss commit after commit.
  static log::RateLimit limit(60, 60);
  const log::Level level = event.warning ? log::Level::kWarn : log::Level::kInfo;
  if (!event.told_elsewhere && limit.admit(server_log, level)) log_line(event.warning, event.text);
  const auto same_kind = [&](const Event& other) { return other.kind == event.kind; };
  if (static_cast<std::size_t>(std::count_if(events_.begin(), events_.end(), same_kind)) >=
      kMostOfAKind)
    events_.erase(std::find_if(events_.begin(), events_.end(), same_kind));
  events_.push_back(std::move(event));
}

void Journal::look_at_concerns(const ServerStatus& status) {
  std::map<std::string, Lasting> former = std::exchange(lasting_, {});
  for (Concern& concern : concerns_of(status)) {
    const std::string topic = concern.topic;
    Lasting lasting{std::move(concern), status.now_ms, std::nullopt};
    if (const auto known = former.extract(topic);
        !known.empty() && known.mapped().concern.kind == lasting.concern.kind) {
      lasting.since_ms = known.mapped().since_ms;
      lasting.told_ms = known.mapped().told_ms;
    }
    tell_of(lasting, status.now_ms);
    lasting_.emplace(topic, std::move(lasting));
  }
  for (const auto& [topic, lasting] : former) tell_end_of(lasting, status.now_ms);
}

void Journal::tell_of(Lasting& lasting, std::int64_t now_ms) {
  const Concern& concern = lasting.concern;
  if (now_ms < lasting.since_ms + concern.patience_ms) return;
  const bool warning = concern.level == Concern::Level::kWarn;
  if (!lasting.told_ms) {
    if (!concern.told_elsewhere) log_line(warning, full_text(concern));
    Event event{Event::Kind::kConcern, lasting.since_ms, concern.to_string(), warning, true};
    add(std::move(event));
  } else if (concern.remind_ms == 0 || now_ms < *lasting.told_ms + concern.remind_ms) {
    return;
  } else {
    log_line(warning, fmt::format("for {} now: {}", duration_text(now_ms - lasting.since_ms),
                                  full_text(concern)));
  }
  lasting.told_ms = now_ms;
}

void Journal::tell_end_of(const Lasting& lasting, std::int64_t now_ms) {
  if (!lasting.told_ms) return;
  const Concern& concern = lasting.concern;
  add({Event::Kind::kConcern, now_ms, fmt::format("{}: {}", concern.subject, concern.end), false,
       concern.told_elsewhere});
}

}  // namespace tandem::control
