#include "server/ctl/commands.h"

#include <catch2/catch.hpp>

#include "tests/unit/server/ctl/ctl_fixture.h"

namespace tandem::ctl {
namespace {

using test::commands;
using test::FakeDaemon;
using test::Folder;

/// A Tandem server that answers each of its commands with its name and the arguments.
struct Server {
  Server(Folder& folder, const std::string& name)
      : socket(folder.listen(name + ".ctl")),
        daemon(std::move(folder.listener),
               commands("tandem/status tandem/promote\n", [name](const std::string& params) {
                 if (params.find("json") != std::string::npos) return "{\"is\":\"" + name + "\"}\n";
                 if (params.find("short") != std::string::npos)
                   return name + "_db active writable 3 7\n";
                 return name + " " + params + "\n";
               })) {
    folder.write(name + ".pid", "1\n");
  }
  std::string socket;
  FakeDaemon daemon;
};

Report run(const Folder& folder, const std::vector<std::string>& arguments, bool colours = false) {
  const auto invocation = parse_invocation(arguments);
  REQUIRE(invocation.has_value());
  return carry_out(*invocation, {folder.path}, colours);
}

TEST_CASE("without a target the only Tandem server of the host is asked") {
  Folder folder;
  const Server nb(folder, "nb");
  folder.listen("ovsdb-server.ctl");
  folder.write("ovsdb-server.pid", "2\n");
  const FakeDaemon stock(std::move(folder.listener), commands("ovsdb-server/sync-status\n"));
  CHECK(run(folder, {"status"}).output == "nb []\n");
  CHECK(run(folder, {"nonsense"}).exit_status == 2);
}

TEST_CASE("a change of role is followed by what it has led to") {
  Folder folder;
  const Server nb(folder, "nb");
  const Report promoted = run(folder, {"promote", "--force"});
  CHECK(promoted.output == "nb [\"--force\"]\nnb_db: active, writable, at 3:7\n");
  CHECK(promoted.exit_status == 0);
  // Which this one cannot.
  CHECK(run(folder, {"demote"}).output.empty());
}

TEST_CASE("without a target all Tandem servers of the host say how they are") {
  Folder folder;
  const Server nb(folder, "nb");
  const Server sb(folder, "sb");
  CHECK(run(folder, {"status"}).output ==
        "== nb (" + nb.socket + ")\nnb []\n\n== sb (" + sb.socket + ")\nsb []\n");
  CHECK(run(folder, {"status", "--format=short"}).output ==
        "nb_db active writable 3 7\nsb_db active writable 3 7\n");
  CHECK(run(folder, {"status", "--json"}).output ==
        "{\"servers\":[{\"target\":\"nb\",\"socket\":\"" + nb.socket +
            "\",\"status\":{\"is\":\"nb\"}},{\"target\":\"sb\",\"socket\":\"" + sb.socket +
            "\",\"status\":{\"is\":\"sb\"}}]}\n");
}

TEST_CASE("what changes a server is not done to several") {
  Folder folder;
  const Server nb(folder, "nb");
  const Server sb(folder, "sb");
  const Report refused = run(folder, {"promote"});
  CHECK(refused.output.empty());
  CHECK(refused.errors ==
        "tandem-ctl: \"promote\" is for one server, and several Tandem servers run here: say -t "
        "with one of nb, sb\n");
  CHECK(refused.exit_status == 1);
  CHECK(run(folder, {"-t", "sb", "promote"}).output == "sb []\nsb_db: active, writable, at 3:7\n");
}

TEST_CASE("a host without a Tandem server is told from one that does not answer") {
  Folder folder;
  folder.listen("ovsdb-server.ctl");
  folder.write("ovsdb-server.pid", "2\n");
  const FakeDaemon stock(std::move(folder.listener), commands("ovsdb-server/sync-status\n"));
  const Report none = run(folder, {"status"});
  CHECK(none.exit_status == 1);
  CHECK(none.errors == "tandem-ctl: no Tandem server found: none has a control socket in " +
                           folder.path +
                           "; Open vSwitch's own database server is ovsdb-server (-t TARGET names "
                           "one)\n");
}

/// As Open vSwitch's own server answers.
std::optional<std::string> stock_answer(const std::string& command, const std::string& /*params*/) {
  if (command == "version") return "ovsdb-server (Open vSwitch) 3.1.0\n";
  if (command == "ovsdb-server/list-dbs") return "NB\n_Server\n";
  if (command == "ovsdb-server/sync-status")
    return "state: backup\nreplicating: tcp:1.2.3.4:6641\ndatabase: NB\n";
  return std::nullopt;
}

TEST_CASE("a stock server says what it can of its status, and what to use for the rest") {
  Folder folder;
  folder.listen("stock.ctl");
  folder.write("stock.pid", "1\n");
  const FakeDaemon stock(std::move(folder.listener), stock_answer);
  CHECK(run(folder, {"-t", "stock", "status"}).output ==
        "server: ovsdb-server (Open vSwitch) 3.1.0, not Tandem\n"
        "database: NB\n  role: backup\n  source: tcp:1.2.3.4:6641\n  follows: replicating\n");
  CHECK_THAT(run(folder, {"-t", "stock", "promote"}).errors,
             Catch::EndsWith("tandem-ctl: stock is no Tandem server: use "
                             "ovsdb-server/disconnect-active-ovsdb-server\n"));
  const Report cluster = run(folder, {"status", "--cluster", "stock"});
  CHECK_THAT(cluster.output, Catch::StartsWith("no writer (stock follows tcp:1.2.3.4:6641)\n"));
  CHECK(cluster.exit_status == 2);
}

TEST_CASE("what a server refuses is an error that names it") {
  Folder folder;
  const Server nb(folder, "nb");
  const Report refused = run(folder, {"-t", "nb", "nonsense"});
  CHECK(refused.exit_status == 2);
  CHECK(refused.errors ==
        "\"x\" is not a valid command\ntandem-ctl: nb: server returned an error\n");
}

}  // namespace
}  // namespace tandem::ctl
