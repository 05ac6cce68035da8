#include "server/session/session_facts.h"

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

/// The one client of that name.
SessionFacts facts_of(const Site& site, const std::string& name) {
  for (const SessionFacts& facts : site.hub.sessions()) {
    if (facts.name == name) return facts;
  }
  FAIL("no client " << name);
  return {};
}

ConnectionInfo named(const std::string& name) {
  ConnectionInfo info;
  info.name = name;
  info.remote = "ptcp:6641";
  info.role = "ovn-controller";
  info.peer_id = "cn-" + name;
  return info;
}

TEST_CASE("a client is told of with what it asks for, and how far it is behind") {
  Site site;
  Client a(site, named("a"));
  a.ask("echo", "[]");
  a.ask("monitor", R"(["D",1,{"T":{}}])");
  SessionFacts facts = facts_of(site, "a");
  CHECK(facts.remote == "ptcp:6641");
  CHECK(facts.role == "ovn-controller");
  CHECK(facts.peer_id == "cn-a");
  CHECK(facts.requests == 2);
  CHECK(facts.under_way == 0);
  CHECK(facts.monitors == 1);
  CHECK(!facts.is_backup);
  a.say("transact", R"(["D"])", "7");
  CHECK(facts_of(site, "a").under_way == 1);
  site.run();
  CHECK(facts_of(site, "a").under_way == 0);
}

TEST_CASE("who holds a lock, and who waits for it, is told when it changes hands as well") {
  Site site;
  Client a(site, named("a"));
  Client b(site, named("b"));
  a.ask("lock", R"(["l"])");
  b.ask("lock", R"(["l"])");
  const std::vector<std::string> lock{"l"};
  CHECK(facts_of(site, "a").locks == lock);
  CHECK(facts_of(site, "b").awaited == lock);
  b.ask("steal", R"(["m"])");
  CHECK(facts_of(site, "b").locks == std::vector<std::string>{"m"});
  a.ask("steal", R"(["m"])");
  CHECK(facts_of(site, "b").awaited == std::vector<std::string>{"l", "m"});
  a.ask("unlock", R"(["l"])");
  CHECK(facts_of(site, "a").locks == std::vector<std::string>{"m"});
  CHECK(facts_of(site, "b").locks == lock);
}

TEST_CASE("a backup is told from other clients") {
  Site site;
  ConnectionInfo info = named("a");
  info.role.clear();  // with one it may be none
  Client a(site, std::move(info));
  a.follow(kBackup, site.position());
  CHECK(facts_of(site, "a").is_backup);
}

}  // namespace
}  // namespace tandem
