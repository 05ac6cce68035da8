// Clients that look for the active server while there is none.

#include "tests/unit/server/session/hung_site.h"

namespace tandem {
namespace {

using namespace session_test;

constexpr const char* kLook = R"(["_Server","m",{"Database":{"columns":["name","leader"]}}])";

/// A site that is a backup, and shows it.
struct BackupSite : Site {
  explicit BackupSite(AdvertisedRole role = AdvertisedRole::kConnected) {
    on_writer([&] {
      server.set_advertised_role(role);
      server.set_backup(database(), true);
    });
  }
  void on_writer(Task task) {
    server.call(std::move(task), shard);
    run();
  }
};

TEST_CASE("who looks for the active server waits until this one is") {
  BackupSite site;
  Client client(site);
  CHECK(client.ask("monitor", kLook).empty());
  site.pass(1000);
  CHECK(taken(client).empty());
  site.on_writer([&] { site.server.promote(site.database()).value(); });
  const std::string answer = taken(client);
  CHECK(has_reply(answer, "1"));
  CHECK(answer.find(R"("leader":false)") == std::string::npos);
  CHECK(client.connection.closed.empty());
  Client late(site);
  CHECK(has_reply(late.ask("monitor", kLook), "1"));
}

TEST_CASE("who looks for the active server waits until another one is, or for 4 s") {
  BackupSite site;
  Client client(site);
  CHECK(client.ask("monitor", kLook).empty());
  SECTION("another one is") {
    site.server.count_active(1);
    site.pass(20);
  }
  SECTION("nobody is for long") {
    site.pass(3999);
    CHECK(taken(client).empty());
    site.pass(1);
  }
  SECTION("the role is shown no more") {
    site.on_writer([&] { site.server.set_advertised_role(AdvertisedRole::kNone); });
  }
  CHECK(has_reply(taken(client), "1"));
}

TEST_CASE("nobody waits where another server is active, or readers may stay") {
  SECTION("another server is active") {
    BackupSite site;
    site.server.count_active(1);
    CHECK(has_reply(Client(site).ask("monitor", kLook), "1"));
    site.server.count_active(-1);
    CHECK(Client(site).ask("monitor", kLook).empty());
  }
  SECTION("readers may stay") {
    BackupSite site(AdvertisedRole::kLeader);
    CHECK(has_reply(Client(site).ask("monitor", kLook), "1"));
  }
}

TEST_CASE("a client that goes while it waits leaves nothing behind") {
  BackupSite site;
  { CHECK(Client(site).ask("monitor", kLook).empty()); }
  site.on_writer([&] { site.server.promote(site.database()).value(); });
  site.pass(5000);
}

}  // namespace
}  // namespace tandem
