#include "server/control/ovsdb_commands.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace tandem::control {
namespace {

/// A server of two databases that notes what it is told.
class FakeServer : public ServerControl {
 public:
  std::string log;
  std::vector<std::string> databases{"_Server", "a", "b"};
  std::vector<std::string> remotes{"punix:x"};
  std::string active;
  SyncStatus status;
  std::vector<Done> compactions;

  std::vector<std::string> list_databases() override { return databases; }
  void add_database(const std::string& file, Done done) override {
    done(Error{"ovsdb error", file + ": already open", std::nullopt});
  }
  void remove_database(const std::string& name, Done done) override {
    note("remove " + name, done);
  }
  void compact(const std::string& name, Done done) override {
    log += "compact " + name + ";";
    compactions.push_back(std::move(done));
  }
  Result<std::string> storage_status(const std::string&) override {
    return {boost::system::in_place_value, "ok"};
  }
  std::vector<std::string> list_remotes() override { return remotes; }
  void add_remote(const std::string& remote, Done done) override { note("add " + remote, done); }
  void remove_remote(const std::string& remote, Done done) override {
    note("remove " + remote, done);
  }
  void reconnect_clients() override { log += "reconnect;"; }
  void disable_monitor_cond() override { log += "disable;"; }
  void reload(Done done) override { note("reload", done); }
  SyncStatus sync_status() override { return status; }
  std::string active_server() override { return active; }
  void set_active_server(const std::string& remote, Done done) override {
    note("active " + remote, done);
  }
  void connect_active(Done done) override { note("connect", done); }
  void disconnect_active(Done done) override { note("disconnect", done); }
  std::string sync_exclude_tables() override { return "a:t"; }
  void set_sync_exclude_tables(const std::string& list, Done done) override {
    note("exclude " + list, done);
  }
  void set_active_probe_interval(std::int64_t ms) override {
    log += "probe " + std::to_string(ms) + ";";
  }
  void set_relay_probe_interval(std::int64_t) override {}
  void memory_usage(std::function<void(const Counts&)> then) override {
    then({{"cells", 10}, {"atoms", 7}});
  }
  void set_memory_trim_on_compaction(bool enabled) override { log += enabled ? "trim;" : "keep;"; }
  TableLogging table_logging() override { return {{"a", {{"T", true}, {"U", false}}}}; }
  void set_table_logging(const std::string& database, const std::string& table,
                         bool enabled) override {
    log += "tlog " + database + table + (enabled ? "on;" : "off;");
  }

 private:
  void note(const std::string& what, const Done& done) {
    log += what + ";";
    done({});
  }
};

struct Fixture {
  FakeServer server;
  CommandRegistry registry;
  Fixture() { add_ovsdb_commands(registry, server); }

  std::string run(const std::string& name, const Arguments& arguments = {}) const {
    std::string answer = "no answer";
    registry.run("ovsdb-server/" + name, arguments, Reply([&](const Result<std::string>& result) {
                   answer = result.has_value() ? *result : "error: " + result.error().to_string();
                 }));
    return answer;
  }
};

TEST_CASE_METHOD(Fixture, "lists have one item a line") {
  CHECK(run("list-dbs") == "_Server\na\nb\n");
  CHECK(run("list-remotes") == "punix:x\n");
}

TEST_CASE_METHOD(Fixture, "errors of the server are shown with their tag") {
  CHECK(run("add-db", {"f"}) == "error: ovsdb error: f: already open");
}

TEST_CASE_METHOD(Fixture, "reserved and unknown databases cannot be removed") {
  CHECK(run("remove-db", {"x"}) == "error: Failed to find the database.");
  CHECK(run("remove-db", {"_Server"}) == "error: Cannot remove reserved database.");
  CHECK(run("remove-db", {"a"}).empty());
  CHECK(server.log == "remove a;");
}

TEST_CASE_METHOD(
    Fixture, "compact without a name takes one database after the other and answers at the end") {
  std::string answer = "none";
  registry.run("ovsdb-server/compact", {},
               Reply([&](const Result<std::string>& result) { answer = result.value(); }));
  CHECK(server.log == "compact a;");
  server.compactions[0]({});
  CHECK(server.log == "compact a;compact b;");
  CHECK(answer == "none");
  server.compactions[1]({});
  CHECK(answer.empty());
}

TEST_CASE_METHOD(Fixture, "built-in and unknown databases cannot be compacted") {
  CHECK(run("compact", {"_Server"}) == "error: cannot compact built-in databases");
  CHECK(run("get-db-storage-status", {"a"}) == "status: ok\n");
  CHECK(run("compact", {"x"}) == "error: no database by that name");
}

TEST_CASE_METHOD(Fixture, "an unknown remote cannot be removed") {
  CHECK(run("remove-remote", {"x"}) == "error: no such remote");
  CHECK(run("remove-remote", {"punix:x"}).empty());
}

TEST_CASE_METHOD(Fixture, "connecting without an active server is told but is no error") {
  CHECK(run("connect-active-ovsdb-server") ==
        "Unable to connect: active server is not specified.\n");
  CHECK(server.log.empty());
  CHECK(run("get-active-ovsdb-server").empty());
  server.active = "tcp:x:1";
  CHECK(run("connect-active-ovsdb-server").empty());
  CHECK(run("get-active-ovsdb-server") == "tcp:x:1\n");
  CHECK(server.log == "connect;");
}

TEST_CASE_METHOD(Fixture, "a probe interval that is no number is told but is no error") {
  for (const char* bad : {"x", "5x", ""}) {
    CHECK(run("set-active-ovsdb-server-probe-interval", {bad}) ==
          "Invalid probe interval, integer value expected\n");
  }
  CHECK(run("set-active-ovsdb-server-probe-interval", {"5000"}).empty());
  CHECK(server.log == "probe 5000;");
}

TEST_CASE_METHOD(Fixture, "sync-status without an active server is just the state") {
  CHECK(run("sync-status") == "state: active\n");
}

TEST_CASE_METHOD(Fixture, "sync-status tells of each database whose backup it is, and why not") {
  using State = SyncStatus::State;
  server.status = {{{"a", State::kActive, "tcp:x:1", "a:t", "", 0}}};
  CHECK(run("sync-status") == "database: a\nstate: active\n");
  server.status = {{{"a", State::kConnecting, "tcp:x:1", "", "", 0}}};
  CHECK(run("sync-status") == "database: a\nstate: backup\nconnecting: tcp:x:1\n");
  server.status = {{{"a", State::kReplicating, "tcp:x:1", "a:t", "", 0},
                    {"b", State::kStale, "tcp:y:1", "", "", 3456}}};
  CHECK(run("sync-status") ==
        "database: a\nstate: backup\nreplicating: tcp:x:1\nexclude: a:t\n"
        "database: b\nstate: backup\nstale: tcp:y:1, silent for 3.5 s\n");
  server.status = {{{"a", State::kError, "tcp:x:1", "", "schemas differ", 0}}};
  CHECK(run("sync-status") == "database: a\nstate: backup\nschemas differ\n");
  server.status = {{{"a", State::kError, "tcp:x:1", "", "no\nstate: active", 0}}};
  CHECK(run("sync-status") == "database: a\nstate: backup\nno\\nstate: active\n");
}

TEST_CASE_METHOD(Fixture, "sync-status of OVN's databases begins with the state") {
  using State = SyncStatus::State;
  server.status = {{{"OVN_Northbound", State::kActive, "tcp:x:1", "", "", 0}}};
  CHECK(run("sync-status") == "state: active\ndatabase: OVN_Northbound\n");
  server.status = {{{"OVN_Southbound", State::kReplicating, "tcp:x:1", "", "", 0}}};
  CHECK(run("sync-status") == "state: backup\nreplicating: tcp:x:1\ndatabase: OVN_Southbound\n");
}

TEST_CASE_METHOD(Fixture, "memory/show is one line of pairs") {
  std::string answer;
  registry.run("memory/show", {},
               Reply([&](const Result<std::string>& result) { answer = result.value(); }));
  CHECK(answer == "atoms:7 cells:10");
}

TEST_CASE_METHOD(Fixture, "switches are on or off") {
  CHECK(run("memory-trim-on-compaction", {"x"}) == "error: invalid argument");
  CHECK(run("memory-trim-on-compaction", {"on"}).empty());
  CHECK(run("tlog-set", {"a", "b"}) == "error: invalid command argument");
  CHECK(run("tlog-set", {"a", "on"}) == "error: invalid DB:TABLE argument");
  CHECK(run("tlog-set", {"x:T", "on"}) == "error: no such database");
  CHECK(run("tlog-set", {"a:x", "on"}) == "error: no such table");
  CHECK(run("tlog-set", {"a:U", "on"}).empty());
  CHECK(server.log == "trim;tlog aUon;");
}

TEST_CASE_METHOD(Fixture, "tlog-list groups tables by database") {
  CHECK(run("tlog-list") ==
        "database        table                       logging\n"
        "--------        -----                       -------\n"
        "a                \n"
        "                T                           ON\n"
        "                U                           OFF\n");
}

}  // namespace
}  // namespace tandem::control
