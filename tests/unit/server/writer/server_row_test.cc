#include "server/writer/server_row.h"

#include <catch2/catch.hpp>
#include <string>

#include "protocol/json/json_reader.h"
#include "server/writer/database_server.h"
#include "tests/support/fake_file_system.h"
#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

Standing opened(std::int64_t ms, std::uint64_t records) {
  return {{Epoch{1}, records, Uuid{1, 9}}, {}, Uuid{1, 1}, ms};
}

TEST_CASE("the advertised index grows with the time of the promotion first") {
  CHECK(advertised_index(opened(0, 0)) == 0);
  CHECK(advertised_index(opened(0, 7)) == 7);
  CHECK(advertised_index(opened(1'700'000'000'000, 0)) >
        advertised_index(opened(0, 1'000'000'000)));
  CHECK(advertised_index(opened(1'700'000'000'001, 0)) >
        advertised_index(opened(1'700'000'000'000, 1'000'000)));
  CHECK(advertised_index(opened(5, 5)) > advertised_index(opened(5, 4)));
  CHECK(advertised_index(opened((std::int64_t{1} << 42) - 1, std::uint64_t{1} << 62)) > 0);
}

TEST_CASE("within one history no index is less than one that was shown") {
  const Standing far{{Epoch{1}, 9, Uuid{1, 9}}, {}, Uuid{1, 1}};
  const Standing near{{Epoch{1}, 5, Uuid{1, 5}}, {}, Uuid{1, 1}};
  const Standing other{{Epoch{0}, 2, Uuid{2, 2}}, {}, Uuid{2, 1}};
  const auto shown = [](const Standing& standing, const std::optional<ServerRow>& before) {
    ServerRow row;
    show_as_clustered(row, AdvertisedRole::kLeader, false, Uuid{3, 3}, standing, before);
    return row;
  };
  const ServerRow first = shown(far, {});
  CHECK(first.cid == Uuid{1, 1});
  CHECK(shown(near, {}).index < first.index);
  CHECK(shown(near, first).index == first.index);
  CHECK(shown(other, first).index == 2);
}

class TestClock final : public Clock {
 public:
  std::int64_t wall_ms() const override { return 1'700'000'000'000; }
  std::int64_t monotonic_ms() const override { return now; }
  std::int64_t now = 1000;
};

class NoSyncer final : public Syncer {
 public:
  void sync(std::shared_ptr<storage::LogFile> /*log*/, Done done) override { done({}); }
};

/// A server of the database D.
struct Site {
  Site() {
    static_cast<void>(
        storage::LogFile::create(
            disk, "/D",
            R"({"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"isRoot":true}}})")
            .value());
    on_writer([&] { server.add(StoredDatabase::open(disk, "/D", {}, clock).value()).value(); });
  }
  void on_writer(Task task) { server.call(std::move(task), runner); }
  ServedDatabase& database() { return *server.find("D"); }
  void write() {
    on_writer(
        [&] { server.transact_internal(database(), R"({"op":"insert","table":"T","row":{}})"); });
  }
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

  TestClock clock;
  test::FakeFileSystem disk;
  NoSyncer syncer;
  FakeRunner background;
  FakeRunner runner;
  std::int64_t wake_ms = -1;
  DatabaseServer server{
      {clock, disk, syncer, background, [this](std::int64_t at_ms) { wake_ms = at_ms; }}};
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
    site.on_writer([&] { site.server.set_write_deadline(site.clock.now + 500); });
    CHECK(site.shows("leader"));
    CHECK(site.wake_ms == site.clock.now + 500);
    site.clock.now += 500;
    site.on_writer([&] { site.server.tick(); });
    CHECK_FALSE(site.shows("leader"));
    site.on_writer([&] { site.server.set_write_deadline(site.clock.now + 500); });
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
  CHECK(site.wake_ms == site.clock.now + 1000);
  site.clock.now += 1000;
  site.on_writer([&] { site.server.tick(); });
  CHECK(site.index() == 2);
  const std::string cid = site.cid();
  CHECK(cid.starts_with(R"(["uuid",)"));
  site.write();
  site.on_writer([&] { site.server.set_backup(site.database(), true); });
  CHECK(site.index() == 3);
  CHECK(site.cid() == cid);
}

}  // namespace
}  // namespace tandem
