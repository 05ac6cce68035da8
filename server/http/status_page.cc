#include "server/http/status_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "server/control/concern.h"
#include "server/control/facts_report.h"
#include "server/control/human_text.h"
#include "server/http/html.h"
#include "server/http/lag_drawing.h"
#include "server/http/page_style.h"
#include "server/http/verdict_words.h"

namespace tandem::http {

namespace {

using control::Concern;
using control::DatabaseStatus;
using control::Event;
using control::ServerStatus;

constexpr std::size_t kMostConcerns = 20;
constexpr std::size_t kMostDatabases = 20;
constexpr std::size_t kMostFollowers = 20;  ///< of one database
constexpr std::size_t kMostRemotes = 20;
constexpr std::size_t kMostEvents = 25;
/// The page is asked for again so often.
constexpr int kRefreshSeconds = 5;
/// Bytes of a name, and of a sentence.
constexpr std::size_t kLongestName = 60;
constexpr std::size_t kLongestText = 400;

std::string_view class_of(Mood mood) {
  switch (mood) {
    case Mood::kGood:
      return "good";
    case Mood::kCare:
      return "care";
    case Mood::kOutage:
      return "bad";
  }
  return "";
}

std::string pill(std::string_view colour, std::string_view text) {
  return fmt::format("<span class='pill {}'>{}</span>", colour, html(text));
}

/// A cell of a table; on a phone its name stands before it. The content is HTML.
std::string cell(std::string_view name, std::string_view content) {
  return fmt::format("<td data-name='{}'><span>{}</span></td>", name, content);
}

/// A table of rows that are made already; without any there is none.
std::string table(std::string_view title, std::initializer_list<std::string_view> columns,
                  const std::vector<std::string>& rows, std::size_t left_out) {
  if (rows.empty()) return "";
  std::string out = fmt::format("<h2>{}</h2><div class=card><table>", title);
  if (columns.size() > 0) out += "<thead><tr>";
  for (const std::string_view column : columns) out += fmt::format("<th>{}</th>", column);
  if (columns.size() > 0) out += "</tr></thead>";
  out += "<tbody>\n";
  for (const std::string& row : rows) out += fmt::format("<tr>{}</tr>\n", row);
  out += "</tbody></table>";
  if (left_out > 0) out += fmt::format("<p class=more>and {} more</p>", left_out);
  return out + "</div>\n";
}

std::string position_text(const Position& position) {
  return fmt::format("{}:{}", static_cast<std::uint64_t>(position.epoch), position.index);
}

std::string ago(std::int64_t ms) {
  return control::duration_text(std::max<std::int64_t>(ms, 0)) + " ago";
}

std::string records_behind(std::uint64_t count) {
  return count == 0 ? "nothing" : fmt::format("{} record{}", count, count == 1 ? "" : "s");
}

template <class List>
std::size_t beyond(const List& list, std::size_t most) {
  return list.size() > most ? list.size() - most : 0;
}

// --- what to do ---

/// A clause as a sentence.
std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text.front() >= 'a' && text.front() <= 'z')
    text.front() = static_cast<char>(text.front() - 'a' + 'A');
  if (!text.ends_with('?')) text += '.';
  return html(text, kLongestText);
}

std::string todo(const ServerStatus& status, const control::Journal& journal) {
  const std::vector<Concern> concerns = concerns_of(status);
  if (concerns.empty()) return "";
  std::string out = "<h2>What to do</h2><div class=card><ul class=todo>\n";
  for (std::size_t i = 0; i < std::min(concerns.size(), kMostConcerns); ++i) {
    const Concern& concern = concerns[i];
    const auto since = journal.since(concern);
    out +=
        fmt::format("<li><b class={}>{}</b>: {}{}<p>{}</p></li>\n", concern.outage ? "bad" : "care",
                    html(concern.subject, kLongestName), html(concern.what, kLongestText),
                    since ? fmt::format(" <small>(for {})</small>",
                                        control::duration_text(status.now_ms - *since))
                          : "",
                    sentence(concern.advice));
  }
  out += "</ul>";
  if (concerns.size() > kMostConcerns)
    out += fmt::format("<p class=more>and {} more</p>", concerns.size() - kMostConcerns);
  return out + "</div>\n";
}

// --- copies ---

std::string role_pill(const ServerStatus& status, const DatabaseStatus& database) {
  if (database.is_copy()) return pill("plain", database.relay ? "relay" : "backup");
  return status.writable(database) ? pill("good", "active") : pill("bad", "active, read-only");
}

std::string health_pill(const DatabaseStatus& database) {
  return database.health.can_write() ? pill("good", "ok") : pill("bad", database.health.fault());
}

std::string copies(const ServerStatus& status) {
  std::vector<std::string> rows;
  for (const DatabaseStatus& database : status.databases) {
    if (rows.size() == kMostDatabases) break;
    rows.push_back(cell("Database", html(database.name, kLongestName)) +
                   cell("Role", role_pill(status, database)) +
                   cell("Position", position_text(database.entry.position)) +
                   cell("File", database.file.empty()
                                    ? ""
                                    : fmt::format("{} <small>{}</small>",
                                                  control::bytes_text(database.file_bytes),
                                                  html(database.file, kLongestName))) +
                   cell("Health", health_pill(database)));
  }
  return table("Copies here", {"Database", "Role", "Position", "File", "Health"}, rows,
               beyond(status.databases, kMostDatabases));
}

std::string follower_row(const ServerStatus& status, const DatabaseStatus& database,
                         const FeedStatus& feed, const control::LagHistory& lags) {
  const std::uint64_t newest = database.entry.position.index;
  const std::uint64_t at = feed.acknowledged.index;
  const std::string state = feed.doubted   ? pill("care", "doubted")
                            : feed.in_sync ? pill("good", "in sync")
                                           : pill("care", "behind");
  return cell("Backup", fmt::format("{} <small>{}</small>", html(feed.peer_name(), kLongestName),
                                    html(feed.address, kLongestName))) +
         cell("Database", html(database.name, kLongestName)) + cell("State", state) +
         cell("Behind by", records_behind(newest > at ? newest - at : 0)) +
         cell("Heard", ago(status.now_ms - feed.heard_ms)) +
         cell("Last 5 minutes", lag_drawing(lags.follower(database.name, feed.peer_name())));
}

/// A backup that was there some minutes ago.
std::string gone_row(const ServerStatus& status, const std::string& database,
                     const control::LagHistory::Gone& gone, const control::LagHistory& lags) {
  return cell("Backup", html(gone.peer, kLongestName)) +
         cell("Database", html(database, kLongestName)) + cell("State", pill("bad", "gone")) +
         cell("Behind by", "unknown") + cell("Heard", ago(status.now_ms - gone.seen_ms)) +
         cell("Last 5 minutes", lag_drawing(lags.follower(database, gone.peer)));
}

/// The backups that follow this server, and those that did until a moment ago. Those that do not
/// keep up are not cut off by those that do.
std::string followers(const ServerStatus& status, const control::LagHistory& lags) {
  std::vector<std::string> rows;
  std::size_t left_out = 0;
  for (const DatabaseStatus& database : status.databases) {
    std::vector<FeedStatus> feeds = database.entry.followers;
    std::stable_partition(feeds.begin(), feeds.end(),
                          [](const FeedStatus& feed) { return !feed.in_sync; });
    left_out += beyond(feeds, kMostFollowers);
    feeds.resize(std::min(feeds.size(), kMostFollowers));
    for (const FeedStatus& feed : feeds) rows.push_back(follower_row(status, database, feed, lags));
    std::vector<control::LagHistory::Gone> gone = lags.gone(database.name);
    gone.resize(std::min(gone.size(), kMostFollowers - feeds.size()));
    for (const auto& one : gone) rows.push_back(gone_row(status, database.name, one, lags));
  }
  return table("Backups that follow",
               {"Backup", "Database", "State", "Behind by", "Heard", "Last 5 minutes"}, rows,
               left_out);
}

std::string source_row(const ServerStatus& status, const DatabaseStatus& database,
                       const control::LagHistory& lags) {
  std::string state = pill("bad", "follows nobody");
  std::string behind = "unknown";
  std::string heard = "never";
  if (database.follower) {
    const FollowerStatus& follower = *database.follower;
    const bool replicates =
        follower.state == FollowerStatus::State::kReplicating && !follower.stale;
    const bool moves = follower.state == FollowerStatus::State::kResyncing ||
                       follower.state == FollowerStatus::State::kNegotiating;
    state = pill(replicates ? "good"
                 : moves    ? "care"
                            : "bad",
                 follower.stale ? "silent" : to_string(follower.state));
    if (follower.state == FollowerStatus::State::kResyncing)
      state += fmt::format(" <small>{} of {} rows</small>", follower.rows, follower.rows_total);
    if (replicates) behind = records_behind(follower.lag_records());
    if (follower.heard_ms) heard = ago(status.now_ms - *follower.heard_ms);
  }
  return cell("Active server", html(database.source, kLongestName)) +
         cell("Database", html(database.name, kLongestName)) + cell("State", state) +
         cell("Behind by", behind) + cell("Heard", heard) +
         cell("Last 5 minutes", lag_drawing(lags.own(database.name)));
}

/// Whom this server follows.
std::string sources(const ServerStatus& status, const control::LagHistory& lags) {
  std::vector<std::string> rows;
  std::size_t all = 0;
  for (const DatabaseStatus& database : status.databases) {
    if (!database.is_copy() || ++all > kMostDatabases) continue;
    rows.push_back(source_row(status, database, lags));
  }
  return table("Followed by this server",
               {"Active server", "Database", "State", "Behind by", "Heard", "Last 5 minutes"}, rows,
               all - rows.size());
}

// --- remotes, events ---

std::string remotes(const ServerStatus& status) {
  std::vector<std::string> rows;
  for (const net::RemoteStatus& remote : status.remotes) {
    if (rows.size() == kMostRemotes) break;
    const std::string_view colour = remote.is_up                      ? "good"
                                    : remote.state == "closed"        ? "plain"
                                    : remote.state == "not listening" ? "bad"
                                                                      : "care";
    std::string state = pill(colour, remote.state);
    if (!remote.problem.empty())
      state += fmt::format(" <small>{}</small>", html(remote.problem, kLongestText));
    rows.push_back(cell("Remote", html(remote.target, kLongestName)) + cell("State", state) +
                   cell("Clients", std::to_string(remote.connections)));
  }
  return table("Remotes", {"Remote", "State", "Clients"}, rows,
               beyond(status.remotes, kMostRemotes));
}

std::string events(const ServerStatus& status, const control::Journal& journal) {
  const std::vector<Event> all = journal.events();
  std::vector<std::string> rows;
  for (const Event& event : all) {
    if (rows.size() == kMostEvents) break;
    const std::string date = calendar_time_of(status, event.at_ms);
    rows.push_back(
        fmt::format("<td class=wide><time datetime='{}'>{} {}</time></td><td class=wide>{}{}</td>",
                    date, date.substr(0, 10), date.substr(11, 8),
                    event.warning ? pill("care", "!") + " " : "", html(event.text, kLongestText)));
  }
  return table("What has happened (UTC)", {}, rows, beyond(all, kMostEvents));
}

std::string name_of(const ServerStatus& status) {
  return status.node_name.empty() ? status.host : status.node_name;
}

}  // namespace

std::string status_page(const ServerStatus& status, const control::Journal& journal) {
  const std::string verdict = html(verdict_words(status), kLongestText);
  const std::string name = html(name_of(status), kLongestName);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n"
      "<meta name=viewport content='width=device-width,initial-scale=1'>\n"
      "<meta http-equiv=refresh content={}>\n<title>{}: {}</title>\n<style>{}</style>\n",
      kRefreshSeconds, name, verdict, kPageStyle);
  out += fmt::format(
      "<header><p><b>{}</b> · Tandem · {} UTC</p><h1 class={}>{}</h1></header>\n<main>\n", name,
      calendar_time_of(status, status.now_ms).substr(11, 8), class_of(mood_of(status)), verdict);
  out += todo(status, journal);
  out += copies(status);
  out += followers(status, journal.lags());
  out += sources(status, journal.lags());
  out += remotes(status);
  out += events(status, journal);
  out += fmt::format(
      "</main>\n<footer><p>Tandem {} on {}, process {}, up for {}, {} client{}. For programs: "
      "<a href=status>status</a>, <a href=metrics>metrics</a>, <a href=healthz>healthz</a>, "
      "<a href=active>active</a>, <a href=synced>synced</a>.</p></footer>\n</html>\n",
      TANDEM_VERSION, html(status.host, kLongestName), status.pid,
      control::duration_text(status.uptime_ms), status.clients(), status.clients() == 1 ? "" : "s");
  return out;
}

}  // namespace tandem::http
