#include "server/backup/backup_services.h"

#include <catch2/catch.hpp>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/writer_site.h"

namespace tandem {
namespace {

/// A backup of D whose connections live on a shard that the test turns.
struct Site : test::WriterSite {
  Site() {
    on_writer([&] { server.set_backup(database(), true); });
  }
  /// Where nobody listens.
  static BackupSource source(const std::string& name) {
    BackupSource source;
    source.targets.push_back(Target::parse("unix:/nonexistent/" + name).value());
    return source;
  }
  void follow(std::vector<BackupSource> sources) {
    bool settled = false;
    services.follow(std::move(sources), [&] { settled = true; });
    turn_until([&] { return settled; });
  }
  void keep(const std::vector<BackupSource>& sources) {
    bool done = false;
    services.keep(sources, "a reload", [&] { done = true; });
    turn_until([&] { return done; });
  }
  void turn_until(const std::function<bool()>& reached) {
    for (int turn = 0; turn < 1000 && !reached(); ++turn) {
      shard.run_once(10);
      home.run();
      runner.run();
    }
    REQUIRE(reached());
  }
  std::string error() { return services.connection_error("D"); }

  net::IoShard shard{60};
  net::TlsContext tls;
  FakeRunner home;
  BackupServices services{server, shard, tls, home,
                          [this](Task job) { server.submit(std::move(job), runner); }};
};

}  // namespace

TEST_CASE_METHOD(Site, "to follow a server at which nobody listens settles, and says so") {
  follow({source("a")});
  REQUIRE(services.status().contains("D"));
  CHECK(services.status().at("D").state == FollowerStatus::State::kConnecting);
  CHECK_THAT(error(), Catch::Contains("No such file or directory"));
}

TEST_CASE_METHOD(Site, "who follows nobody is done at once") {
  bool settled = false;
  services.follow({}, [&] { settled = true; });
  turn_until([&] { return settled; });
  CHECK(services.status().empty());
  CHECK(error().empty());
  bool done = false;
  services.stop("a test", [&] { done = true; });
  turn_until([&] { return done; });
}

TEST_CASE_METHOD(Site, "after a stop nothing is followed") {
  follow({source("a")});
  bool done = false;
  services.stop("a test", [&] { done = true; });
  turn_until([&] { return done; });
  CHECK(services.status().empty());
}

TEST_CASE_METHOD(Site, "what is kept goes on, and is not begun anew") {
  follow({source("a")});
  keep({source("a")});
  CHECK(services.status().contains("D"));
  bool settled = false;
  services.follow({source("a")}, [&] { settled = true; });
  home.run();
  CHECK(settled);  // without a turn of the shard, on which one that is followed anew settles
  SECTION("but not what a reload leaves out") {
    keep({source("b")});
    CHECK(services.status().empty());
  }
}

TEST_CASE_METHOD(Site, "two sources have a connection each") {
  BackupSource other = source("b");
  other.databases = {"another"};
  BackupSource one = source("a");
  one.databases = {"D"};
  follow({one, other});
  CHECK(services.status().size() == 1);
  CHECK(services.status().contains("D"));
  keep({other});
  CHECK(services.status().empty());
}

}  // namespace tandem
