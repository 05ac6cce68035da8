#include "server/ctl/session_rates.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/json/fields.h"
#include "server/ctl/table.h"
#include "server/logging/printable.h"

namespace tandem::ctl {

namespace {

/// Clients that people are shown.
constexpr std::size_t kMostShown = 100;
/// Bytes of a cell; the last one may be longer.
constexpr std::size_t kWidestCell = 40;

struct Row {
  std::optional<double> rate;  ///< nothing: it was not there before
  std::int64_t requests = 0;
  Cells cells;
};

std::string word_in(const Json& session, std::string_view name) {
  const auto* const text = find_as<std::string>(session, name);
  return text != nullptr ? printable(*text, kWidestCell) : "";
}

std::int64_t number_in(const Json& session, std::string_view name) {
  const auto* const number = find_as<std::int64_t>(session, name);
  return number != nullptr ? *number : 0;
}

std::string names_in(const Json& session, std::string_view name) {
  std::string text;
  if (const auto* const names = find_as<Json::array_t>(session, name)) {
    for (const Json& element : *names) {
      if (const auto* const word = element.get_ptr<const std::string*>())
        text += (text.empty() ? "" : ",") + printable(*word, kWidestCell);
    }
  }
  return text;
}

std::string locks_of(const Json& session) {
  std::string text = names_in(session, "locks");
  if (const std::string awaited = names_in(session, "awaited_locks"); !awaited.empty())
    text += (text.empty() ? "waits for " : ", waits for ") + awaited;
  return text.empty() ? "-" : text;
}

std::string role_of(const Json& session) {
  const auto* const backup = find_as<bool>(session, "backup");
  if (backup != nullptr && *backup) return "backup";
  const std::string role = word_in(session, "role");
  return role.empty() ? "-" : role;
}

Cells cells_of(const Json& session, const std::optional<double>& rate) {
  const auto* const behind = find_as<bool>(session, "behind");
  return {word_in(session, "name"),
          word_in(session, "remote"),
          role_of(session),
          rate ? fmt::format("{:.1f}", *rate) : "-",
          fmt::format("{}", number_in(session, "requests")),
          fmt::format("{}", number_in(session, "under_way")),
          fmt::format("{}{}", number_in(session, "unsent_bytes"),
                      behind != nullptr && *behind ? " slow" : ""),
          fmt::format("{}", number_in(session, "monitors")),
          locks_of(session)};
}

}  // namespace

std::string SessionRates::table(const std::string& server, const Json& sessions, Time now) {
  std::vector<Row> lines;
  for (const Json& session : sessions) {
    const std::string key =
        fmt::format("{}\n{}\n{}", server, word_in(session, "name"), word_in(session, "remote"));
    Row line{std::nullopt, number_in(session, "requests"), {}};
    if (const auto before = before_.find(key); before != before_.end()) {
      const std::chrono::duration<double> passed = now - before->second.at;
      const std::int64_t made = line.requests - before->second.requests;
      // Fewer than before: another client of the same name.
      if (made >= 0 && passed.count() > 0) line.rate = static_cast<double>(made) / passed.count();
    }
    seen_[key] = {line.requests, now};
    line.cells = cells_of(session, line.rate);
    lines.push_back(std::move(line));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const Row& a, const Row& b) {
    return std::pair(a.rate.value_or(0), a.requests) > std::pair(b.rate.value_or(0), b.requests);
  });
  std::vector<Cells> rows{
      {"CLIENT", "REMOTE", "ROLE", "REQ/S", "REQUESTS", "OPEN", "UNSENT", "MONITORS", "LOCKS"}};
  for (Row& line : lines) {
    if (rows.size() > kMostShown) break;
    rows.push_back(std::move(line.cells));
  }
  std::string out = table_text(rows);
  if (lines.size() > kMostShown)
    out += fmt::format("and {} more clients\n", lines.size() - kMostShown);
  return out;
}

std::string SessionRates::show(const std::string& answer, Time now) {
  const Result<Json> read = read_json(answer);
  if (!read) return answer;
  seen_.clear();
  std::string out;
  if (const Json* sessions = find_member(*read, "sessions"); sessions != nullptr) {
    out = table("", *sessions, now);
  } else if (const Json* servers = find_member(*read, "servers"); servers != nullptr) {
    for (const Json& server : *servers) {
      const std::string name = word_in(server, "target");
      const Json* const told = find_member(server, "sessions");
      const Json* const of_server = told != nullptr ? find_member(*told, "sessions") : nullptr;
      if (of_server == nullptr) continue;  // the standard error output says why
      if (servers->size() > 1) out += fmt::format("{}== {}\n", out.empty() ? "" : "\n", name);
      out += table(name, *of_server, now);
    }
  } else {
    return answer;
  }
  before_ = std::exchange(seen_, {});
  return out;
}

}  // namespace tandem::ctl
