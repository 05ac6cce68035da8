#include "server/ctl/discovery.h"

#include <catch2/catch.hpp>
#include <chrono>

#include "tests/unit/server/ctl/ctl_fixture.h"

namespace tandem::ctl {
namespace {

using test::commands;
using test::FakeDaemon;
using test::Folder;

constexpr std::chrono::seconds kTimeout{5};
constexpr const char* kTandemCommands = "tandem/status\novsdb-server/sync-status\n";

TEST_CASE("the Tandem servers of a host are told from other daemons, by what they answer") {
  Folder folder;
  const std::string socket = folder.listen("nb.42.ctl");
  folder.write("nb.pid", "42\n");
  const FakeDaemon nb(std::move(folder.listener), commands(kTandemCommands));
  const std::string nameless = folder.listen("own-name.ctl");
  const FakeDaemon other(std::move(folder.listener), commands(kTandemCommands));
  folder.listen("ovsdb-server.7.ctl");
  folder.write("ovsdb-server.pid", "7\n");
  const FakeDaemon stock(std::move(folder.listener), commands("ovsdb-server/sync-status\n"));
  folder.listen("ovn-northd.8.ctl");
  const FakeDaemon northd(std::move(folder.listener), commands("inc-engine/show-stats\n"));

  const Discovery found = find_servers({folder.path}, kTimeout);
  CHECK(found.servers == std::vector<FoundServer>{{nameless, nameless}, {"nb", socket}});
  CHECK(found.stock == std::vector<std::string>{"ovsdb-server"});
}

TEST_CASE("what a server that died has left is not one") {
  Folder folder;
  folder.listen("nb.42.ctl");
  folder.listener = UniqueFd();
  folder.write("nb.pid", "42\n");
  folder.write("file.ctl", "no socket");
  CHECK(find_servers({folder.path, "/nonexistent"}, kTimeout).servers.empty());
}

TEST_CASE("a folder that has two names has its servers once") {
  Folder folder;
  const std::string socket = folder.listen("nb.42.ctl");
  folder.write("nb.pid", "42\n");
  const FakeDaemon nb(std::move(folder.listener), commands(kTandemCommands));
  const Folder links;
  std::filesystem::create_directory_symlink(folder.path, links.path + "/run");
  CHECK(find_servers({folder.path, links.path + "/run"}, kTimeout).servers.size() == 1);
}

TEST_CASE(
    "another program that does not answer is no Tandem server, and holds nobody up for long") {
  Folder folder;
  folder.listen("hung.ctl");
  const auto before = std::chrono::steady_clock::now();
  CHECK(find_servers({folder.path}, std::chrono::milliseconds(100)).servers.empty());
  CHECK(std::chrono::steady_clock::now() - before < kTimeout);
}

}  // namespace
}  // namespace tandem::ctl
