// The table of methods: who may say what. One case for each authority and method.

#include <map>

#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

const ConnectionInfo kPlain{"tcp:1", "ptcp:", "", "", false};
const ConnectionInfo kReadOnly{"tcp:2", "ptcp:", "", "", true};
const ConnectionInfo kRole{"ssl:3", "pssl:", "ann", "role", false};
const ConnectionInfo kListed{"ssl:4", "pssl:", "node", "", false};

std::string params_of(std::string_view method) {
  static const std::map<std::string_view, std::string> kParams{
      {"cancel", "[1]"},
      {"convert", R"(["D",{"name":"D","tables":{}}])"},
      {"get_schema", R"(["D"])"},
      {"get_server_id", "[]"},
      {"list_dbs", "[]"},
      {"lock", R"(["l"])"},
      {"monitor", R"(["D","m",{}])"},
      {"monitor_cancel", R"(["m"])"},
      {"monitor_cond", R"(["D","m",{}])"},
      {"monitor_cond_change", R"(["m","m",{}])"},
      {"monitor_cond_since", R"(["D","m",{},"00000000-0000-0000-0000-000000000000"])"},
      {"set_db_change_aware", "[true]"},
      {"steal", R"(["l"])"},
      {"tandem_ack",
       R"(["D",{"epoch":0,"index":0,"digest":"00000000-0000-0000-0000-000000000000"}])"},
      {"tandem_depose", "[]"},
      {"tandem_follow",
       R"(["D",{"position":{"epoch":0,"index":0,"digest":"00000000-0000-0000-0000-000000000000"},)"
       R"("server_id":"11111111-1111-4111-8111-111111111111"}])"},
      {"tandem_path", R"(["D"])"},
      {"tandem_transact", R"(["D",{"role":"r","client":"c"},["D"]])"},
      {"transact", R"(["D"])"},
      {"unlock", R"(["l"])"},
  };
  return kParams.at(method);
}

bool is_refusal(const std::string& answer) {
  return answer.find("permission error") != std::string::npos ||
         answer.find("not allowed, DB server is read only") != std::string::npos ||
         answer.find("conversion is not allowed for read-only database") != std::string::npos;
}

TEST_CASE("every request is refused to those that lack its authority, and to nobody else") {
  for (const Method& method : Session::methods()) {
    if (method.form == Method::Form::kNotification) continue;
    for (const ConnectionInfo& info : {kPlain, kReadOnly, kRole, kListed}) {
      for (const char* peers : {"any", "node,other"}) {
        Site site;
        const PeerList list = PeerList::parse(peers).value();
        site.hub.set_peers(list);
        Client client(site, info);
        INFO(method.name << " by " << info.name << ", peers " << peers);
        const std::string answer = client.ask(std::string(method.name), params_of(method.name));
        CHECK_FALSE(answer.empty());
        CHECK(is_refusal(answer) != has_authority(info, method.needs, list));
      }
    }
  }
}

TEST_CASE("a request that takes only notifications, or is in no table, is an unknown method") {
  Site site;
  Client client(site, kPlain);
  for (const char* method : {"cancel", "tandem_depose", "locked", "nonsense", ""}) {
    CHECK_THAT(client.ask(method, "[]"), Catch::Contains("unknown method"));
  }
}

TEST_CASE("a notification of what takes only requests does nothing") {
  Site site;
  Client client(site, kPlain);
  for (const Method& method : Session::methods()) {
    if (method.form != Method::Form::kRequest) continue;
    client.notify(std::string(method.name), params_of(method.name));
    CHECK(client.connection.take().empty());
  }
  CHECK(site.server.find("D")->followers.empty());
}

TEST_CASE("authorities follow from what the connection is now") {
  const PeerList any;
  const PeerList named = PeerList::parse("node").value();
  CHECK(has_authority(kRole, Authority::kAnyone, any));
  CHECK(has_authority(kRole, Authority::kWriter, any));
  CHECK_FALSE(has_authority(kRole, Authority::kRoot, any));
  CHECK_FALSE(has_authority(kRole, Authority::kPeer, PeerList::parse("ann").value()));
  CHECK_FALSE(has_authority(kReadOnly, Authority::kWriter, any));
  CHECK_FALSE(has_authority(kReadOnly, Authority::kRoot, any));
  CHECK_FALSE(has_authority(kReadOnly, Authority::kPeer, any));
  CHECK(has_authority(kPlain, Authority::kPeer, any));
  CHECK_FALSE(has_authority(kPlain, Authority::kPeer, named));
  CHECK(has_authority(kListed, Authority::kPeer, named));
}

TEST_CASE("a list of peers is read and written alike, and has no empty names") {
  CHECK(PeerList::parse("b,a").value().to_string() == "a,b");
  CHECK(PeerList::parse("any").value().to_string() == "any");
  for (const char* text : {"", ",", "a,", ",a", "a,,b"})
    CHECK_FALSE(PeerList::parse(text).has_value());
}

TEST_CASE("convert is refused in the stock server's order") {
  Site site;
  Client client(site, kRole);
  CHECK_THAT(client.ask("convert", "[5]"), Catch::Contains("must begin with <db-name>"));
  CHECK_THAT(client.ask("convert", R"(["E",{}])"), Catch::Contains("unknown database"));
  CHECK_THAT(client.ask("convert", R"(["D"])"),
             Catch::Contains(R"(RBAC rules for client \"ann\" role \"role\" prohibit \"convert\" )"
                             R"(of database D (only the root role may convert databases))"));
  Client reader(site, kReadOnly);
  CHECK_THAT(reader.ask("convert", R"(["D"])"), Catch::Contains("array expected"));
}

}  // namespace
}  // namespace tandem
