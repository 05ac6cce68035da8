#include "server/writer/followers.h"

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

/// A database's followers, and what each session is told.
struct Site {
  FakeRunner runner;
  Mailbox mailbox{runner};
  CommitGate gate;
  Followers followers{gate};
  TimeHistogram deliveries;
  std::string told;

  void join(std::uint64_t session, const std::string& file, const std::string& address = "tcp:a:1",
            std::int64_t now_ms = 1000) {
    FollowRequest request;
    request.server_id = Uuid{1, session};
    request.name = "host";
    request.file = file;
    const auto tell = [this, session](const std::string& what) {
      told += std::to_string(session) + what + ' ';
    };
    followers.add({SessionId{session},
                   request,
                   address,
                   &mailbox,
                   {[tell](const StreamTextRef& text) { tell(text ? "" : " lost"); },
                    [tell] { tell(" challenged"); }},
                   0},
                  now_ms);
  }
  std::string take_told() {
    mailbox.flush();
    runner.run();
    return std::exchange(told, "");
  }
};

StreamTextRef text() {
  return std::make_shared<const StreamText>([] { return std::string("record"); }, 6);
}

}  // namespace

TEST_CASE("All followers are told of a record, until they leave or lose the thread") {
  Site site;
  site.join(1, "/a");
  site.join(2, "/b");
  site.followers.tell(text());
  CHECK(site.take_told() == "1 2 ");
  site.followers.remove(SessionId{1});
  site.followers.remove(SessionId{1});
  site.followers.tell(text());
  CHECK(site.take_told() == "2 ");
  site.followers.lose_all();
  CHECK(site.take_told() == "2 lost ");
  CHECK(site.followers.empty());
  CHECK(site.gate.followers().empty());
}

TEST_CASE("One that says that it is the copy of another has that one challenged") {
  Site site;
  site.join(1, "/a");
  site.join(2, "/a");
  CHECK(site.take_told() == "1 challenged ");
  CHECK(site.followers.size() == 2);
  CHECK(site.gate.followers()[0].doubted);
  site.followers.alive(SessionId{1});
  CHECK_FALSE(site.gate.followers()[0].doubted);
}

TEST_CASE("An acknowledgement opens the gate, and is counted once") {
  Site site;
  site.gate.configure({1, 1000, CommitGate::Fallback::kBlock});
  const Position position{Epoch{1}, 2, Uuid{1, 2}};
  site.gate.logged(position);
  site.join(1, "/a");
  site.followers.logged(1, 5000);
  site.followers.logged(2, 6000);
  CHECK_FALSE(site.followers.acknowledged(SessionId{1}));
  CHECK_FALSE(site.gate.open(position, 1000, 1000));
  site.followers.acknowledge(SessionId{1}, position, 8000, site.deliveries);
  site.followers.acknowledge(SessionId{1}, position, 9000, site.deliveries);
  CHECK(site.followers.acknowledged(SessionId{1}) == position);
  CHECK(site.gate.open(position, 1000, 1001));
  CHECK(site.deliveries.totals().sum_us == 3000 + 2000);
}

TEST_CASE("When all places are taken the newcomer's address decides who gives way") {
  Site site;
  for (std::uint64_t i = 1; i <= CommitGate::kMostFollowers; ++i)
    site.join(i, "/" + std::to_string(i), "tcp:10.0.0.1:" + std::to_string(i));
  const SessionId newcomer{1000};
  REQUIRE(site.followers.has_place_for(SessionId{1}, "tcp:10.0.0.1:1", 2000));  // it has one
  REQUIRE(site.followers.has_place_for(newcomer, "tcp:10.0.0.2:1", 2000));
  site.join(1000, "/new", "tcp:10.0.0.2:1", 2000);
  CHECK(site.followers.size() == CommitGate::kMostFollowers);
  CHECK(site.followers.contains(newcomer));
  CHECK(site.take_told().find(" lost ") != std::string::npos);
}

}  // namespace tandem
