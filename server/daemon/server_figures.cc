// Figures that the home thread knows, so that commands are answered at once.

#include <algorithm>
#include <utility>

#include "server/backup/diverged_file.h"
#include "server/control/command_registry.h"
#include "server/daemon/once.h"
#include "server/daemon/server.h"
#include "server/writer/server_schema.h"

namespace tandem {
namespace {

/// How long memory/show waits for new counts before it shows the last ones.
constexpr std::int64_t kCountMs = 1000;

}  // namespace

std::vector<std::string> Server::list_databases() {
  std::vector<std::string> names{"_Server"};
  for (const auto& [name, entry] : board_.entries()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> Server::storage_status(const std::string& name) {
  const control::StatusBoard::Entries entries = board_.entries();
  const auto found = entries.find(name);
  if (found == entries.end() && name != "_Server")
    return control::command_error("Failed to find the database.");
  std::string status = "ok";
  if (found != entries.end()) {
    const std::shared_ptr<storage::LogFile> log = found->second.log.lock();
    if (const std::string fault = log != nullptr ? log->health().fault() : ""; !fault.empty())
      status = fault;
  }
  return Result<std::string>(boost::system::in_place_value, std::move(status));
}

// --- memory/show ---

void Server::memory_usage(std::function<void(const Counts&)> then) {
  const auto answer = [this, told = once(std::move(then))] {
    Counts counts = counted_rows_;
    const ClientHub::Usage clients = clients_->usage();
    if (clients.sessions > 0) counts["sessions"] += clients.sessions;
    counts["monitors"] += clients.monitors;
    told(counts);
  };
  count_rows([this, answer](Counts rows) {
    counted_rows_ = std::move(rows);
    answer();
  });
  call_later(kCountMs, answer);
}

void Server::sessions(std::function<void(const std::vector<SessionFacts>&)> then) {
  struct Asked {
    std::vector<SessionFacts> sessions;
    std::size_t pending;
  };
  const auto asked = std::make_shared<Asked>(Asked{{}, clients_->size()});
  const auto answer = [asked, told = once(std::move(then))] { told(asked->sessions); };
  clients_->for_each([this, asked, answer](ClientHub& hub) {
    home_.post([asked, answer, told = hub.sessions()] {
      asked->sessions.insert(asked->sessions.end(), told.begin(), told.end());
      if (--asked->pending == 0) answer();
    });
  });
  call_later(kCountMs, answer);
}

/// Rows are counted in snapshots, off the writer: a visit of all of them takes its time.
void Server::count_rows(std::function<void(Counts)> then) {
  submit([this, then = std::move(then)] {
    std::vector<Snapshot> snapshots;
    std::size_t commits = 0;
    for (const auto& [name, database] : databases_.databases()) {
      snapshots.push_back(database->stored->database().snapshot());
      commits += database->stored->history().size();
    }
    files_thread_.post([this, then, commits, snapshots = std::move(snapshots)] {
      Counts counts{{"txn-history", commits}};
      for (const Snapshot& snapshot : snapshots) {
        const Usage usage = usage_of(snapshot);
        counts["cells"] += usage.cells;
        counts["atoms"] += usage.atoms;
        counts["n-weak-refs"] += usage.weak_refs;
      }
      home_.post([then, counts = std::move(counts)] { then(counts); });
    });
  });
}

/// One look at a time: the disk may hang.
void Server::look_for_divergences() {
  if (std::exchange(looks_for_divergences_, true)) return;
  std::map<std::string, std::string> paths;
  for (const auto& [name, entry] : board_.entries()) {
    if (!entry.info->file.empty()) paths[name] = entry.info->file;
  }
  files_thread_.post([this, paths = std::move(paths)] {
    std::map<std::string, std::optional<std::size_t>> counts;
    for (const auto& [name, path] : paths) counts[name] = count_diverged(path);
    home_.post([this, counts = std::move(counts)]() mutable {
      divergence_files_ = std::move(counts);
      looks_for_divergences_ = false;
    });
  });
}

void Server::set_memory_trim_on_compaction(bool enabled) {
  submit([this, enabled] { databases_.set_trim_on_compaction(enabled); });
}

// --- logging of tables ---

control::TableLogging Server::table_logging() {
  control::TableLogging tables;
  const auto add = [&](const std::string& name, const DatabaseSchema& schema) {
    for (const TableSchema& table : schema.tables())
      tables[name][table.name] = logged_tables_.contains({name, table.name});
  };
  add("_Server", *server_schema());
  for (const auto& [name, entry] : board_.entries()) add(name, *entry.info->schema);
  return tables;
}

void Server::set_table_logging(const std::string& database, const std::string& table,
                               bool enabled) {
  if (enabled) {
    logged_tables_.emplace(database, table);
  } else {
    logged_tables_.erase({database, table});
  }
  submit([this, database, table, enabled] { table_log_.set(database, table, enabled); });
}

}  // namespace tandem
