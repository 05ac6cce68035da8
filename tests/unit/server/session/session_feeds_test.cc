// Backups and those that say they are, as sessions.

#include "protocol/json/json_reader.h"
#include "replication/row_buckets.h"
#include "tests/unit/server/session/session_fixture.h"

namespace tandem {
namespace {

using namespace session_test;

void insert(Client& client) {
  client.ask("transact", R"(["D",{"op":"insert","table":"T","row":{"n":1}}])");
}

TEST_CASE("only a backup that has acknowledged a position of the present epoch may depose") {
  Site site;
  Client backup(site);
  Client stranger(site);
  insert(stranger);
  stranger.notify("tandem_depose", "[]");
  CHECK_THAT(backup.follow(kBackup, site.position()), Catch::Contains("resume"));
  backup.notify("tandem_depose", "[]");
  CHECK(site.deposed == 0);
  backup.acknowledge(site.position());
  stranger.notify("tandem_depose", "[]");
  CHECK(site.deposed == 0);
  backup.notify("tandem_depose", "[]");
  CHECK(site.deposed == 1);
}

TEST_CASE("an acknowledgement of what was never sent ends the connection and counts for nothing") {
  Site site;
  Client writer(site);
  insert(writer);
  const Position newest = site.position();
  Position beyond = newest;
  beyond.index += 1;
  Position later = newest;
  later.epoch = Epoch{9};
  Position forged = newest;
  forged.digest = Uuid{1, 2};
  Position mixed = newest;
  mixed.digest = site.database().stored->history().oldest_position().digest;
  for (const Position& position : {beyond, later, forged, mixed}) {
    Client client(site);
    client.follow(kBackup, newest);
    client.acknowledge(position);
    CHECK(client.connection.closed == "acknowledgement of what was never sent");
    CHECK(site.database().gate.status().in_sync == 0);
  }
  Client honest(site);
  honest.follow(kBackup, newest);
  honest.acknowledge(newest);
  CHECK(honest.connection.closed.empty());
  CHECK(site.database().gate.status().in_sync == 1);
}

TEST_CASE("an acknowledgement of a client that follows nothing is ignored") {
  Site site;
  Client client(site);
  insert(client);
  Position beyond = site.position();
  beyond.index += 1;
  client.acknowledge(beyond);
  CHECK(client.connection.closed.empty());
}

TEST_CASE("a claim to be a living backup challenges it, and its answer makes two of them") {
  Site site;
  Client backup(site);
  backup.follow(kBackup, site.position());
  backup.acknowledge(site.position());
  Client claimant(site);
  claimant.follow(kBackup, site.position());
  claimant.acknowledge(site.position());
  CHECK(backup.connection.challenges == 1);
  CHECK(claimant.connection.challenges == 0);
  CHECK(backup.connection.closed.empty());
  CHECK(site.database().gate.status().in_sync == 1);
  backup.handler->on_alive();
  site.run();
  CHECK(site.database().gate.status().in_sync == 2);
}

TEST_CASE("a database has so many followers, and those of one host that keep up stay") {
  Site site;
  std::vector<std::unique_ptr<Client>> backups;
  while (backups.size() < CommitGate::kMostFollowers) {
    backups.push_back(std::make_unique<Client>(site));
    CHECK_THAT(backups.back()->follow(kBackup, site.position()), Catch::Contains("resume"));
    backups.back()->acknowledge(site.position());
  }
  Client late(site);
  CHECK_THAT(late.follow(kOther, site.position()), Catch::Contains("resources exhausted"));
  CHECK(site.database().followers.size() == CommitGate::kMostFollowers);
  CHECK_THAT(backups.front()->follow(kBackup, site.position()), Catch::Contains("resume"));
  backups.pop_back();
  CHECK_THAT(late.follow(kOther, site.position()), Catch::Contains("resume"));
}

TEST_CASE("a stranger that takes all places keeps no backup of another host out") {
  Site site;
  std::vector<std::unique_ptr<Client>> strangers;
  while (strangers.size() < CommitGate::kMostFollowers) {
    const std::string name = "tcp:192.0.2.66:" + std::to_string(1000 + strangers.size());
    strangers.push_back(
        std::make_unique<Client>(site, ConnectionInfo{name, "ptcp:", "", "", false}));
    strangers.back()->follow(kOther, site.position());
    if (strangers.size() > 1) strangers.back()->acknowledge(site.position());
  }
  Client backup(site, {"tcp:192.0.2.1:7", "ptcp:", "", "", false});
  // To ask whether it may resume takes no place.
  CHECK_THAT(backup.follow(kBackup, {}), Catch::Contains("compare"));
  CHECK(site.database().followers.size() == CommitGate::kMostFollowers);
  CHECK_THAT(backup.follow(kBackup, site.position()), Catch::Contains("resume"));
  CHECK(site.database().followers.size() == CommitGate::kMostFollowers);
  // The one that had acknowledged nothing.
  CHECK_THAT(strangers.front()->connection.take().back(), Catch::Contains("tandem_lost"));
  // It comes again as often as it likes.
  backup.acknowledge(site.position());
  for (int i = 0; i < 100; ++i) {
    Client again(site, {"tcp:192.0.2.66:1", "ptcp:", "", "", false});
    again.follow(kOther, site.position());
  }
  Client writer(site);
  backup.connection.take();
  insert(writer);
  CHECK_THAT(backup.connection.take().back(), Catch::Contains("tandem_record"));
}

TEST_CASE("a peer that is taken off the list is told nothing from then on, and does not count") {
  Site site;
  Client backup(site, {"ssl:1", "pssl:", "node", "", false});
  Client writer(site);
  backup.follow(kBackup, site.position());
  backup.acknowledge(site.position());
  site.hub.set_peers(PeerList::parse("node,other").value());
  site.run();
  insert(writer);
  CHECK_THAT(backup.connection.take().back(), Catch::Contains("tandem_record"));
  site.hub.set_peers(PeerList::parse("other").value());
  site.run();
  CHECK_THAT(backup.connection.take().back(), Catch::Contains("tandem_lost"));
  insert(writer);
  CHECK(backup.connection.take().empty());
  CHECK(site.database().gate.followers().empty());
  CHECK_THAT(backup.follow(kBackup, site.position()), Catch::Contains("not among sync-peers"));
}

TEST_CASE("a backup whose remote becomes read-only is told no further record") {
  Site site;
  Client backup(site);
  Client writer(site);
  backup.follow(kBackup, site.position());
  backup.connection.identity.read_only = true;
  insert(writer);
  CHECK_THAT(backup.connection.take().back(), Catch::Contains("tandem_lost"));
  CHECK(site.database().followers.empty());
}

TEST_CASE("the refusal of the stream tells where the server stands") {
  Site site;
  Client writer(site);
  insert(writer);
  Client client(site, {"tcp:1", "ptcp:", "", "role", false});
  const std::string answer = client.follow(kBackup, {});
  CHECK_THAT(answer, Catch::Contains("permission error"));
  CHECK_THAT(answer, Catch::Contains(site.position().digest.to_string()));
}

TEST_CASE("of many requests for a comparison the last is answered with rows, the others not") {
  Site site;
  Client writer(site);
  for (int i = 0; i < 3000; ++i) insert(writer);
  Client backup(site);
  const std::string buckets = R"(,"recent":[],"buckets":{"T":"00000000000000000000000000000000"})";
  const std::string unknown = R"(["D",{"position":{"epoch":0,"index":0,"digest":")" +
                              std::string(kOther) + R"("},"server_id":")" + kBackup + "\"" +
                              buckets + "}]";
  backup.connection.take();
  for (int i = 1; i <= 50; ++i) backup.say("tandem_follow", unknown, std::to_string(i));
  site.run();
  int rows = 0;
  int canceled = 0;
  for (const std::string& text : backup.connection.take()) {
    if (text.find(R"("mode":"rows")") != std::string::npos) {
      ++rows;
      CHECK_THAT(text, Catch::Contains(R"("id":50)"));
    }
    if (text.find("canceled") != std::string::npos) ++canceled;
  }
  CHECK(rows == 1);
  CHECK(canceled == 49);
}

TEST_CASE("a comparison gives way after a slice, and ends with its session") {
  Site site;
  Client writer(site);
  for (int i = 0; i < 3000; ++i) insert(writer);
  int slices = 0;
  {
    Client backup(site);
    backup.say("tandem_follow",
               R"(["D",{"position":{"epoch":0,"index":0,"digest":")" + std::string(kOther) +
                   R"("},"server_id":")" + kBackup +
                   R"(","recent":[],"buckets":{"T":"00000000000000000000000000000000"}}])",
               "1");
    site.shard.run();
    CHECK_FALSE(site.background.idle());
    CHECK(site.background.run_one());
    CHECK_FALSE(site.background.idle());
    backup.handler->on_closed("");
    backup.handler.reset();
    while (site.background.run_one()) ++slices;
    backup.handler = site.hub.make_session(backup.connection);
  }
  CHECK(slices == 1);  // the one that found that nobody wants it
}

TEST_CASE("sums of absurd shape are refused, and make nobody a follower") {
  Site site;
  Client client(site);
  for (const char* buckets : {"5", "[]", R"({"T":5})", R"({"T":"00"})", R"({"T":""})"}) {
    const std::string more = std::string(R"(,"recent":[],"buckets":)") + buckets;
    CHECK_THAT(client.follow(kBackup, {}, more), Catch::Contains("error\":{"));
    CHECK(site.database().followers.empty());
  }
}

TEST_CASE("what a backup says of itself is cut, and has no control characters") {
  const auto read = [](const std::string& name) {
    FollowRequest request;
    request.server_id = Uuid{1, 2};
    request.name = name;
    return FollowRequest::from_json(parse_json(to_text(request)).value());
  };
  CHECK(read(std::string(1 << 20, 'x')).value().name == std::string(255, 'x'));
  CHECK(read(std::string(254, 'x') + "\xc3\xa4").value().name == std::string(254, 'x'));
  CHECK_FALSE(read("a\nfollower: b").has_value());
  CHECK_FALSE(read("a\x1b[2J").has_value());
  CHECK_FALSE(read("a\x7f").has_value());
}

}  // namespace
}  // namespace tandem
