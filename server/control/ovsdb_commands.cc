#include "server/control/ovsdb_commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "server/logging/log.h"
#include "server/logging/printable.h"

namespace tandem::control {

namespace {

log::Module logger("ovsdb_server");

/// Answers with nothing on success.
Done empty_answer(const Reply& reply) {
  return [reply](const Result<void>& result) {
    if (result.has_error()) {
      reply.error(result.error());
    } else {
      reply.done();
    }
  };
}

std::string lines(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += printable(item) + "\n";
  return out;
}

bool has_database(ServerControl& server, const std::string& name) {
  const auto names = server.list_databases();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_builtin(const std::string& database) { return database.starts_with('_'); }

std::optional<bool> parse_switch(const std::string& word) {
  if (word == "on") return true;
  if (word == "off") return false;
  return std::nullopt;
}

/// Compacts one database after the other, so that only one is written twice at a time; stops at the
/// first failure.
class CompactAll : public std::enable_shared_from_this<CompactAll> {
 public:
  CompactAll(ServerControl& server, std::vector<std::string> names, Done done)
      : server_(server), names_(std::move(names)), done_(std::move(done)) {}

  void step() {
    if (next_ == names_.size()) {
      done_({});
      return;
    }
    const std::string& name = names_[next_++];
    logger.info("compacting {} database by user request", name);
    server_.compact(name, [self = shared_from_this()](const Result<void>& result) {
      if (result.has_error()) {
        self->done_(result);
      } else {
        self->step();
      }
    });
  }

 private:
  ServerControl& server_;
  std::vector<std::string> names_;
  std::size_t next_ = 0;
  Done done_;
};

void compact(ServerControl& server, const Arguments& arguments, const Reply& reply) {
  std::vector<std::string> names;
  if (arguments.empty()) {
    for (std::string& name : server.list_databases()) {
      if (!is_builtin(name)) names.push_back(std::move(name));
    }
    if (names.empty()) {
      reply.error("no database by that name");
      return;
    }
  } else if (is_builtin(arguments[0])) {
    reply.error("cannot compact built-in databases");
    return;
  } else if (!has_database(server, arguments[0])) {
    reply.error("no database by that name");
    return;
  } else {
    names = arguments;
  }
  std::make_shared<CompactAll>(server, std::move(names), empty_answer(reply))->step();
}

void add_database_commands(CommandRegistry& registry, ServerControl& server) {
  registry.add("ovsdb-server/list-dbs", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    reply.text(lines(server.list_databases()));
  });
  registry.add("ovsdb-server/add-db", "DB", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 server.add_database(arguments[0], empty_answer(reply));
               });
  registry.add("ovsdb-server/remove-db", "DB", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 if (!has_database(server, arguments[0])) {
                   reply.error("Failed to find the database.");
                 } else if (is_builtin(arguments[0])) {
                   reply.error("Cannot remove reserved database.");
                 } else {
                   server.remove_database(arguments[0], empty_answer(reply));
                 }
               });
  registry.add(
      "ovsdb-server/compact", "", 0, 1,
      [&](const Arguments& arguments, const Reply& reply) { compact(server, arguments, reply); });
  registry.add("ovsdb-server/get-db-storage-status", "DB", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 if (!has_database(server, arguments[0])) {
                   reply.error("Failed to find the database.");
                   return;
                 }
                 const auto status = server.storage_status(arguments[0]);
                 if (status.has_error()) {
                   reply.error(status.error());
                 } else {
                   reply.text("status: " + *status + "\n");
                 }
               });
  registry.add("ovsdb-server/memory-trim-on-compaction", "on|off", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 const auto enabled = parse_switch(arguments[0]);
                 if (!enabled) {
                   reply.error("invalid argument");
                   return;
                 }
                 server.set_memory_trim_on_compaction(*enabled);
                 logger.info("memory trimming after compaction {}.",
                             *enabled ? "enabled" : "disabled");
                 reply.done();
               });
}

void add_remote_commands(CommandRegistry& registry, ServerControl& server) {
  registry.add("ovsdb-server/list-remotes", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    reply.text(lines(server.list_remotes()));
  });
  registry.add("ovsdb-server/add-remote", "REMOTE", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 server.add_remote(arguments[0], empty_answer(reply));
               });
  registry.add("ovsdb-server/remove-remote", "REMOTE", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 const auto remotes = server.list_remotes();
                 if (std::find(remotes.begin(), remotes.end(), arguments[0]) == remotes.end()) {
                   reply.error("no such remote");
                 } else {
                   server.remove_remote(arguments[0], empty_answer(reply));
                 }
               });
  registry.add("ovsdb-server/reconnect", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    server.reconnect_clients();
    reply.done();
  });
  registry.add("ovsdb-server/disable-monitor-cond", "", 0, 0,
               [&](const Arguments&, const Reply& reply) {
                 server.disable_monitor_cond();
                 reply.done();
               });
  registry.add("ovsdb-server/reload", "", 0, 0,
               [&](const Arguments&, const Reply& reply) { server.reload(empty_answer(reply)); });
}

/// A probe interval that is no number is told to the user, but is no error: so does ovsdb-server.
Handler probe_interval(std::function<void(std::int64_t)> set) {
  return [set = std::move(set)](const Arguments& arguments, const Reply& reply) {
    std::int64_t milliseconds = 0;
    const char* const end = arguments[0].data() + arguments[0].size();
    const auto [stop, problem] = std::from_chars(arguments[0].data(), end, milliseconds);
    if (problem != std::errc() || stop != end) {
      reply.text("Invalid probe interval, integer value expected\n");
      return;
    }
    set(milliseconds);
    reply.done();
  };
}

void add_sync_commands(CommandRegistry& registry, ServerControl& server) {
  registry.add("ovsdb-server/sync-status", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    reply.text(to_text(server.sync_status()));
  });
  registry.add("ovsdb-server/get-active-ovsdb-server", "", 0, 0,
               [&](const Arguments&, const Reply& reply) {
                 const std::string active = server.active_server();
                 reply.text(active.empty() ? active : active + "\n");
               });
  registry.add("ovsdb-server/set-active-ovsdb-server", "", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 server.set_active_server(arguments[0], empty_answer(reply));
               });
  registry.add("ovsdb-server/connect-active-ovsdb-server", "", 0, 0,
               [&](const Arguments&, const Reply& reply) {
                 if (server.active_server().empty()) {
                   reply.text("Unable to connect: active server is not specified.\n");
                 } else {
                   server.connect_active(empty_answer(reply));
                 }
               });
  registry.add(
      "ovsdb-server/disconnect-active-ovsdb-server", "", 0, 0,
      [&](const Arguments&, const Reply& reply) { server.disconnect_active(empty_answer(reply)); });
  registry.add(
      "ovsdb-server/get-sync-exclude-tables", "", 0, 0,
      [&](const Arguments&, const Reply& reply) { reply.text(server.sync_exclude_tables()); });
  registry.add("ovsdb-server/set-sync-exclude-tables", "", 1, 1,
               [&](const Arguments& arguments, const Reply& reply) {
                 server.set_sync_exclude_tables(arguments[0], empty_answer(reply));
               });
  registry.add("ovsdb-server/set-active-ovsdb-server-probe-interval", "", 1, 1,
               probe_interval([&](std::int64_t ms) { server.set_active_probe_interval(ms); }));
  registry.add("ovsdb-server/set-relay-source-probe-interval", "", 1, 1,
               probe_interval([&](std::int64_t ms) { server.set_relay_probe_interval(ms); }));
}

void set_table_logging(ServerControl& server, const Arguments& arguments, const Reply& reply) {
  const auto enabled = parse_switch(arguments[1]);
  if (!enabled) {
    reply.error("invalid command argument");
    return;
  }
  const std::size_t colon = arguments[0].find(':');
  if (colon == std::string::npos) {
    reply.error("invalid DB:TABLE argument");
    return;
  }
  const std::string database = arguments[0].substr(0, colon);
  const std::string table = arguments[0].substr(colon + 1);
  const TableLogging logging = server.table_logging();
  const auto found = logging.find(database);
  if (found == logging.end()) {
    reply.error("no such database");
  } else if (!found->second.contains(table)) {
    reply.error("no such table");
  } else {
    server.set_table_logging(database, table, *enabled);
    reply.done();
  }
}

void add_diagnostic_commands(CommandRegistry& registry, ServerControl& server) {
  registry.add("memory/show", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    server.memory_usage([reply](const ServerControl::Counts& counts) {
      std::string out;
      for (const auto& [name, count] : counts)
        out += fmt::format("{}{}:{}", out.empty() ? "" : " ", name, count);
      reply.text(out);
    });
  });
  registry.add("ovsdb-server/perf-counters-show", "", 0, 0,
               [](const Arguments&, const Reply& reply) {
                 reply.text("performance counter is not supported on this platform\n");
               });
  registry.add("ovsdb-server/perf-counters-clear", "", 0, 0,
               [](const Arguments&, const Reply& reply) { reply.done(); });
  registry.add("ovsdb-server/tlog-list", "", 0, 0, [&](const Arguments&, const Reply& reply) {
    reply.text(to_text(server.table_logging()));
  });
  registry.add("ovsdb-server/tlog-set", "DB:TABLE on|off", 2, 2,
               [&](const Arguments& arguments, const Reply& reply) {
                 set_table_logging(server, arguments, reply);
               });
}

}  // namespace

void add_ovsdb_commands(CommandRegistry& registry, ServerControl& server) {
  add_database_commands(registry, server);
  add_remote_commands(registry, server);
  add_sync_commands(registry, server);
  add_diagnostic_commands(registry, server);
}

namespace {

/// ovn-ctl up to OVN 23 takes the second word of the first line for the state, whatever the line
/// is.
bool is_ovn_database(const std::string& name) { return name.starts_with("OVN_"); }

std::string link_text(const SyncStatus::Database& database) {
  switch (database.state) {
    case SyncStatus::State::kActive:
      return "";
    case SyncStatus::State::kConnecting:
      return "connecting: " + printable(database.source) + "\n";
    case SyncStatus::State::kReplicating:
      return "replicating: " + printable(database.source) + "\n";
    case SyncStatus::State::kStale:
      return fmt::format("stale: {}, silent for {:.1f} s\n", printable(database.source),
                         static_cast<double>(database.silent_ms) / 1000);
    case SyncStatus::State::kError:
      return printable(database.error) + "\n";
  }
  return "";
}

}  // namespace

std::string to_text(const SyncStatus& status) {
  if (status.databases.empty()) return "state: active\n";
  std::string out;
  for (const SyncStatus::Database& database : status.databases) {
    const bool is_active = database.state == SyncStatus::State::kActive;
    const std::string name = "database: " + database.name + "\n";
    const std::string state = is_active ? "state: active\n" : "state: backup\n";
    const std::string link = link_text(database);
    out += is_ovn_database(database.name) ? fmt::format("{}{}{}", state, link, name)
                                          : fmt::format("{}{}{}", name, state, link);
    if (!is_active && !database.exclude_tables.empty())
      out += "exclude: " + printable(database.exclude_tables) + "\n";
    if (!is_active && !database.stream_refused.empty())
      out += "stream refused: " + printable(database.stream_refused) + "\n";
  }
  return out;
}

std::string to_text(const TableLogging& logging) {
  std::string out =
      "database        table                       logging\n"
      "--------        -----                       -------\n";
  for (const auto& [database, tables] : logging) {
    out += fmt::format("{:<16} \n", database);
    for (const auto& [table, enabled] : tables) {
      out += fmt::format("                {:<27} {}\n", table, enabled ? "ON" : "OFF");
    }
  }
  return out;
}

}  // namespace tandem::control
