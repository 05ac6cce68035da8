#include "server/writer/server_rows.h"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/json/json_reader.h"
#include "tests/support/writer_site.h"

namespace tandem {
namespace {

struct Site : test::WriterSite {
  /// What clients see of D.
  JsonDocument row() {
    std::string text;
    on_writer([&] {
      server
          .transact_internal(*server.find("_Server"),
                             R"({"op":"select","table":"Database","where":[["name","==","D"]]})")
          .append_json(text);
    });
    return parse_json(to_text(parse_json(text).value().root()[0].find("rows")[0])).value();
  }
  bool shows(std::string_view column) { return row().root().find(column).get_bool(); }
  std::string model() { return std::string(row().root().find("model").get_string()); }
  std::int64_t index() {
    std::int64_t index = -1;
    as_integer(row().root().find("index"), index);
    return index;
  }
  std::string cid() { return to_text(row().root().find("cid")); }
  void advertise(AdvertisedRole role) {
    on_writer([&] { server.set_advertised_role(role); });
  }
  /// A client that wants to see the rows; on the runner's thread it learns them.
  void look(bool& seen) {
    on_writer([&] {
      auto monitor = std::make_unique<NewMonitor>();
      monitor->database = "_Server";
      monitor->session = SessionId{1};
      monitor->mailbox = &mailbox;
      monitor->started = [&seen](const Result<MonitorStart>& start) { seen = start.has_value(); };
      server.start_monitor(std::move(monitor));
    });
    runner.run();
  }

  struct Thread final : ClientThread {
    void on_commit(const DatabaseInfoRef& /*database*/, const CommitRef& /*commit*/) override {}
    void on_directory(const DirectoryRef& /*directory*/) override {}
    void on_role_change() override {}
  };
  Thread thread;
  Mailbox mailbox{runner};
};

TEST_CASE("databases are standalone unless a role is advertised") {
  Site site;
  CHECK(site.model() == "standalone");
  CHECK(site.shows("leader"));
  CHECK(site.index() == -1);
  site.advertise(AdvertisedRole::kLeader);
  CHECK(site.model() == "clustered");
  site.advertise(AdvertisedRole::kNone);
  CHECK(site.model() == "standalone");
  CHECK(site.cid() == R"(["set",[]])");
}

TEST_CASE("the leader is who may write") {
  Site site;
  const AdvertisedRole role = GENERATE(AdvertisedRole::kLeader, AdvertisedRole::kConnected);
  site.advertise(role);
  CHECK(site.shows("leader"));
  CHECK(site.shows("connected"));
  SECTION("not a backup") {
    site.on_writer([&] { site.server.set_backup(site.database(), true); });
    CHECK_FALSE(site.shows("leader"));
    CHECK(site.shows("connected") == (role == AdvertisedRole::kLeader));
    const std::int64_t before = site.index();
    site.on_writer([&] { site.server.promote(site.database()).value(); });
    CHECK(site.shows("leader"));
    CHECK(site.index() > before);
  }
  SECTION("not one whose lease has run out") {
    site.on_writer([&] { site.server.set_write_deadline(site.clock.now_ms + 500); });
    CHECK(site.shows("leader"));
    CHECK(site.wake_ms == site.clock.now_ms + 500);
    site.clock.now_ms += 500;
    site.tick();
    CHECK_FALSE(site.shows("leader"));
    site.on_writer([&] { site.server.set_write_deadline(site.clock.now_ms + 500); });
    CHECK(site.shows("leader"));
  }
}

TEST_CASE(
    "the index follows commits, a second later, and the history's name is that of its first") {
  Site site;
  site.advertise(AdvertisedRole::kLeader);
  CHECK(site.index() == 0);
  site.write();
  site.write();
  CHECK(site.index() == 0);
  CHECK(site.wake_ms == site.clock.now_ms + 1000);
  site.clock.now_ms += 1000;
  site.tick();
  CHECK(site.index() == 2);
  const std::string cid = site.cid();
  CHECK(cid.starts_with(R"(["uuid",)"));
  site.write();
  site.on_writer([&] { site.server.set_backup(site.database(), true); });
  CHECK(site.index() == 3);
  CHECK(site.cid() == cid);
}

/// A client looks for the active server while there is none.
struct Looking : Site {
  Looking() {
    on_writer([&] { server.add_client_thread(mailbox, thread); });
    advertise(AdvertisedRole::kConnected);
    on_writer([&] { server.set_backup(database(), true); });
    look(seen);
  }
  bool seen = false;
};

TEST_CASE("who looks for the active server while there is none waits for it a while") {
  Looking site;
  CHECK_FALSE(site.seen);
  SECTION("until this one is active") {
    site.on_writer([&] { site.server.promote(site.database()).value(); });
  }
  SECTION("until it is known that another one is") {
    CHECK(site.wake_ms == site.clock.now_ms + 20);
    site.server.count_active(1);
    site.tick();
  }
  SECTION("or for four seconds") {
    site.clock.now_ms += 3999;
    site.tick();
    site.runner.run();
    CHECK_FALSE(site.seen);
    site.clock.now_ms += 1;
    site.tick();
  }
  site.runner.run();
  CHECK(site.seen);
}

TEST_CASE("who has gone is not answered") {
  Looking site;
  const LaneRef lane = std::make_shared<Lane>(SessionId{1}, site.runner);
  site.on_writer([&] { site.server.close_session(SessionId{1}, *lane); });
  site.on_writer([&] { site.server.promote(site.database()).value(); });
  site.runner.run();
  CHECK_FALSE(site.seen);
}

TEST_CASE("a database that comes again is described as a new one") {
  Site site;
  site.advertise(AdvertisedRole::kLeader);
  site.write();
  site.clock.now_ms += 1000;
  site.tick();
  CHECK(site.index() == 1);
  site.on_writer([&] {
    site.server.remove("D").value();
    static_cast<void>(
        storage::LogFile::create(site.files, "/other", R"({"name":"D","tables":{}})").value());
    site.server.add(StoredDatabase::open(site.files, "/other", {}, site.clock).value()).value();
  });
  CHECK(site.shows("leader"));
  CHECK(site.index() == 0);
}

}  // namespace
}  // namespace tandem
