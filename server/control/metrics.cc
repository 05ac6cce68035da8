// ServerStatus for Prometheus.

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "server/control/server_status.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// Backups whose lag is shown, of a database.
constexpr std::size_t kMostFollowers = 100;

/// The value of a label: it may come from anybody.
std::string label(std::string_view value) {
  std::string escaped;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Metrics of one name stand together, as the format wants it.
class Page {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP tandem_{0} {1}\n# TYPE tandem_{0} {2}\n", name, help, type);
  }
  template <class Number>
  void sample(Number value) {
    text_ += fmt::format("tandem_{} {}\n", name_, value);
  }
  template <class Number>
  void sample(const DatabaseStatus& database, Number value) {
    text_ += fmt::format("tandem_{}{{database=\"{}\"}} {}\n", name_, label(database.name), value);
  }
  template <class Number>
  void sample(const DatabaseStatus& database, std::string_view name, std::string_view is,
              Number value) {
    text_ += fmt::format("tandem_{}{{database=\"{}\",{}=\"{}\"}} {}\n", name_, label(database.name),
                         name, label(is), value);
  }
  template <class Number>
  void sample(const net::KeyFile& file, Number value) {
    text_ += fmt::format("tandem_{}{{kind=\"{}\"}} {}\n", name_, file.option(), value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string_view name_;
  std::string text_;
};

void add_server(Page& page, const ServerStatus& status) {
  page.family("active", "gauge", "1 if this server has the active role.");
  page.sample(status.is_active() ? 1 : 0);
  page.family("writable", "gauge", "1 if this server is active and takes writes.");
  page.sample(status.writable() ? 1 : 0);
  page.family("uptime_seconds", "gauge", "Time since the server started.");
  page.sample(static_cast<double>(status.uptime_ms) / 1000);
  page.family("sync_replicas", "gauge", "Acknowledgements of backups that a commit waits for.");
  page.sample(status.sync.replicas);
  if (const auto deadline = status.lease.deadline_ms()) {
    page.family("lease_left_seconds", "gauge", "Time until the role lease runs out.");
    page.sample(static_cast<double>(*deadline - status.now_ms) / 1000);
  }
}

void add_log_file(Page& page, const log::FileHealth& health) {
  if (health.path.empty()) return;
  page.family("log_file_failing", "gauge", "1 if lines do not get into the log file.");
  page.sample(health.can_write() ? 0 : 1);
  page.family("log_file_waiting_seconds", "gauge",
              "For how long a line for the log file has not been written.");
  page.sample(static_cast<double>(health.waiting.count()) / 1000);
}

void add_key_files(Page& page, const std::vector<net::KeyFile>& files) {
  if (files.empty()) return;
  page.family("key_file_failing", "gauge", "1 if a file of keys or certificates is not usable.");
  for (const net::KeyFile& file : files) page.sample(file, file.problem.empty() ? 0 : 1);
  page.family("certificate_expiry_timestamp_seconds", "gauge",
              "When the certificates of a file run out, since 1970.");
  for (const net::KeyFile& file : files) {
    if (file.expiry) page.sample(file, std::chrono::system_clock::to_time_t(*file.expiry));
  }
  page.family("certificate_start_timestamp_seconds", "gauge",
              "From when on the certificates of a file are valid, since 1970.");
  for (const net::KeyFile& file : files) {
    if (file.start) page.sample(file, std::chrono::system_clock::to_time_t(*file.start));
  }
}

void add_databases(Page& page, const ServerStatus& status) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto value) {
    page.family(name, type, help);
    for (const DatabaseStatus& database : status.databases)
      page.sample(database, value(database.entry));
  };
  using Entry = StatusBoard::Entry;
  each("epoch", "gauge", "Promotions in the history of the database.",
       [](const Entry& e) { return static_cast<std::uint64_t>(e.position.epoch); });
  each("index", "counter", "Records in the history of the database.",
       [](const Entry& e) { return e.position.index; });
  page.family("write_failing", "gauge", "1 if nothing can be written to the file of the database.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.health.can_write() ? 0 : 1);
  page.family("file_damaged", "gauge",
              "1 if records of the file could not be read, with whole ones behind them.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.health.damage ? 1 : 0);
  page.family("write_waiting_seconds", "gauge",
              "For how long a write to the file has not returned.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, static_cast<double>(database.health.waiting.count()) / 1000);
  each("commits_total", "counter", "Commits since the server started.",
       [](const Entry& e) { return e.commits; });
  each("history_commits", "gauge", "Commits that are kept to resume from.",
       [](const Entry& e) { return e.history_commits; });
  each("history_bytes", "gauge", "Memory that those commits take.",
       [](const Entry& e) { return e.history_bytes; });
}

void add_followers(Page& page, const ServerStatus& status) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        auto sample) {
    page.family(name, type, help);
    for (const DatabaseStatus& database : status.databases) {
      if (database.follower) sample(database, *database.follower);
    }
  };
  each("replicating", "gauge", "1 if every commit of the active is applied as it comes.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, "state", to_string(follower.state),
                     follower.state == FollowerStatus::State::kReplicating ? 1 : 0);
       });
  each("heard_seconds_ago", "gauge", "Time since the last word from the active.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         if (follower.heard_ms)
           page.sample(database, static_cast<double>(status.now_ms - *follower.heard_ms) / 1000);
       });
  each("lag_records", "gauge", "Records that the active has told of and that are not here yet.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, follower.lag_records());
       });
  each("lag_seconds", "gauge",
       "For how long a record that the active has told of has not been written here.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, static_cast<double>(follower.lag_ms(status.now_ms)) / 1000);
       });
  each("divergences_total", "counter", "Times that this history had parted from the active's.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, follower.divergences);
       });
  each("resyncs_total", "counter", "Times that the whole contents were taken over.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, follower.resyncs);
       });
  each("replicated_commits_total", "counter", "Commits of the active applied one by one.",
       [&](const DatabaseStatus& database, const FollowerStatus& follower) {
         page.sample(database, follower.commits);
       });
}

void add_feeds(Page& page, const ServerStatus& status) {
  page.family("followers", "gauge", "Backups that follow a database of this server.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.entry.followers.size());
  page.family("followers_in_sync", "gauge", "Those of them that keep up.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.entry.gate.in_sync);
  page.family("gate_missed_total", "counter", "Commits published with too few acknowledgements.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.entry.gate.missed);
  page.family("gate_waiting", "gauge", "Replies and updates that wait for acknowledgements.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, database.entry.gate.waiting);
  page.family("gate_waiting_seconds", "gauge", "For how long the oldest of them has waited.");
  for (const DatabaseStatus& database : status.databases)
    page.sample(database, static_cast<double>(database.entry.gate.waiting_ms) / 1000);
  page.family("follower_lag_records", "gauge", "Records that a backup has not acknowledged.");
  for (const DatabaseStatus& database : status.databases) {
    const std::vector<FeedStatus>& followers = database.entry.followers;
    for (const FeedStatus& feed :
         std::span(followers).first(std::min(followers.size(), kMostFollowers))) {
      const std::uint64_t newest = database.entry.position.index;
      const std::uint64_t at = feed.acknowledged.index;
      page.sample(database, "address", feed.address, newest > at ? newest - at : 0);
    }
  }
}

}  // namespace

std::string to_metrics(const ServerStatus& status) {
  Page page;
  add_server(page, status);
  add_log_file(page, status.log_file);
  add_key_files(page, status.key_files);
  add_databases(page, status);
  add_followers(page, status);
  add_feeds(page, status);
  return page.take();
}

}  // namespace tandem::control
