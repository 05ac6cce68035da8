#include "server/http/status_page.h"

#include <catch2/catch.hpp>

#include "server/http/html.h"
#include "server/http/lag_drawing.h"
#include "server/http/verdict_words.h"

namespace tandem::http {
namespace {

using control::DatabaseStatus;

/// A server of OVN's two databases.
struct Fixture {
  Fixture() {
    status.now_ms = 100'000;
    status.now_wall_ms = 1'700'000'000'000;
    status.host = "ovn1";
    status.databases.resize(2);
    north().name = "OVN_Northbound";
    south().name = "OVN_Southbound";
  }
  DatabaseStatus& north() { return status.databases[0]; }
  DatabaseStatus& south() { return status.databases[1]; }
  static FeedStatus& join(DatabaseStatus& database, const std::string& name) {
    FeedStatus feed;
    feed.name = name;
    feed.in_sync = true;
    return database.entry.followers.emplace_back(feed);
  }
  void make_backup(DatabaseStatus& database, FollowerStatus::State state) {
    database.backup = true;
    database.source = "tcp:ovn2:6641";
    database.follower.emplace().state = state;
    status.role = RoleState::kBackup;
  }
  std::string words() const { return verdict_words(status); }
  std::string page() const { return status_page(status, journal); }

  control::ServerStatus status;
  control::Journal journal;
};

TEST_CASE_METHOD(Fixture, "an active server is told of with its backups") {
  CHECK(words() == "Active for OVN_Northbound and OVN_Southbound; no backup follows.");
  CHECK(mood_of(status) == Mood::kGood);  // perhaps it is meant to have none
  join(north(), "b");
  join(south(), "b");
  CHECK(words() == "Active for OVN_Northbound and OVN_Southbound; one backup in sync.");
  join(south(), "c").in_sync = false;
  CHECK(words() == "Active for OVN_Northbound and OVN_Southbound; one backup in sync.");
  join(north(), "c").in_sync = false;
  south().entry.followers[0].in_sync = false;
  CHECK(words() == "Active for OVN_Northbound and OVN_Southbound; none of two backups in sync.");
  south().entry.gate = {.replicas = 1, .degraded = true};
  CHECK(mood_of(status) == Mood::kCare);
  south().health.waiting = std::chrono::seconds(60);
  CHECK(words() ==
        "Active for OVN_Northbound and OVN_Southbound, but it cannot write to its disk.");
  CHECK(mood_of(status) == Mood::kOutage);
  status.role = RoleState::kExpired;
  CHECK(words() ==
        "Active for OVN_Northbound and OVN_Southbound, but read-only: the role lease has run out.");
}

TEST_CASE_METHOD(Fixture, "backups that are wanted and not there are missed") {
  north().entry.gate.replicas = 2;
  status.databases.pop_back();
  CHECK(words() == "Active for OVN_Northbound; no backup follows, two are wanted.");
}

TEST_CASE_METHOD(Fixture, "a backup is told of with how it stands to its active server") {
  using State = FollowerStatus::State;
  make_backup(north(), State::kReplicating);
  make_backup(south(), State::kReplicating);
  CHECK(words() == "Backup for OVN_Northbound and OVN_Southbound, in sync.");
  CHECK(mood_of(status) == Mood::kGood);
  south().follower->state = State::kResyncing;
  CHECK(words() ==
        "Backup for OVN_Northbound, in sync; backup for OVN_Southbound, which takes over what "
        "differs.");
  CHECK(mood_of(status) == Mood::kGood);
  south().follower->state = State::kConnecting;
  CHECK(mood_of(status) == Mood::kOutage);
  status.role = RoleState::kPromoting;
  CHECK(words() == "Being made active for OVN_Northbound and OVN_Southbound.");
}

TEST_CASE_METHOD(Fixture, "a server of mixed roles names both, and one without databases none") {
  make_backup(south(), FollowerStatus::State::kReplicating);
  CHECK(words() ==
        "Active for OVN_Northbound; no backup follows; backup for OVN_Southbound, in sync.");
  status.databases.clear();
  CHECK(words() == "No database is served here.");
}

TEST_CASE_METHOD(Fixture, "nothing that others say is markup, nor makes the page long") {
  const std::string evil = "\"'><script>alert(1)</script>\n\x1b" + std::string(5000, 'x');
  make_backup(south(), FollowerStatus::State::kRefused);
  south().source = evil;
  south().connection_error = evil;
  south().follower->error = evil;
  south().follower->stream_refused = evil;
  north().file = evil;
  north().health.failure = Error{"I/O error", evil, std::nullopt, evil};
  status.host = status.node_name = evil;
  status.active_server = evil;
  journal.look(status);
  for (int i = 0; i < 100; ++i) {
    FeedStatus& feed = join(north(), evil + std::to_string(i));
    feed.node = feed.name;
    feed.address = feed.file = evil;
    net::RemoteStatus& remote = status.remotes.emplace_back();
    remote.target = remote.problem = evil;
    remote.state = "not listening";
    status.databases.push_back({});
    status.databases.back().name = evil;
  }
  journal.look(status);
  const std::string text = page();
  CHECK_THAT(text, !Catch::Contains("<script"));
  CHECK_THAT(text, !Catch::Contains("'>&lt;script"));
  CHECK_THAT(text, Catch::Contains("&quot;&#39;&gt;&lt;script&gt;alert(1)"));
  CHECK_THAT(text, Catch::Contains("and 80 more"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.size() < 150'000);
}

TEST_CASE_METHOD(Fixture,
                 "what is wrong stands there with what to do, and is not there otherwise") {
  CHECK_THAT(page(), !Catch::Contains("What to do"));
  make_backup(north(), FollowerStatus::State::kConnecting);
  north().connection_error = "Connection refused";
  journal.look(status);
  status.now_ms += 61'000;
  CHECK_THAT(page(), Catch::Contains("no active server is heard at tcp:ovn2:6641 (Connection "
                                     "refused) <small>(for 1 min 1 s)</small>"));
  CHECK_THAT(page(), Catch::Contains("promote the most advanced copy (tandem-ctl promote).</p>"));
}

TEST_CASE_METHOD(Fixture, "a backup that is gone is shown for a while") {
  join(north(), "b");
  journal.look(status);
  CHECK_THAT(page(), !Catch::Contains("gone"));
  north().entry.followers.clear();
  status.now_ms += 61'000;
  journal.look(status);
  CHECK_THAT(page(), Catch::Contains("<span class='pill bad'>gone</span>"));
  CHECK_THAT(page(), Catch::Contains("1 min 1 s ago"));
}

TEST_CASE("a line shows how far a backup was behind, with gaps where it was not there") {
  CHECK(lag_drawing({}).empty());
  CHECK(lag_drawing({std::nullopt, std::nullopt}).empty());
  CHECK_THAT(lag_drawing({0, 0}), Catch::Contains("<path d='M0 25.0L1 25.0'/>"));
  CHECK_THAT(lag_drawing({0, 0}), Catch::Contains("<title>never behind in the last 5 minutes<"));
  const std::string drawing = lag_drawing({0, 20, std::nullopt, 10});
  CHECK_THAT(drawing, Catch::Contains("<path d='M0 25.0L1 1.0M3 13.0h.5'/>"));
  CHECK_THAT(drawing, Catch::Contains("<title>at most 20 records behind in the last 5 minutes<"));
  CHECK_THAT(lag_drawing({~std::uint64_t{0}}), Catch::Contains("d='M0 1.0h.5'"));
}

}  // namespace
}  // namespace tandem::http
