#include "server/writer/outbox.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <string>
#include <vector>

#include "protocol/json/json_reader.h"
#include "tests/support/writer_site.h"

namespace tandem {
namespace {

/// A site with one client thread, which writes down what it is told.
struct Site : test::WriterSite, ClientThread {
  Site() {
    on_writer([&] { server.add_client_thread(mailbox, *this); });
    runner.run();
    told.clear();
  }
  void on_commit(const DatabaseInfoRef& database, const CommitRef& /*commit*/) override {
    told.push_back("commit of " + database->name);
  }
  void on_directory(const DirectoryRef& directory) override {
    told.push_back("directory of " + std::to_string(directory->size()));
  }
  void on_role_change() override { told.emplace_back("role"); }

  struct Call final : TransactCall {
    explicit Call(std::vector<std::string>& to) : told(to) {}
    void done() override {
      std::string text;
      result.append_json(text);
      told.push_back(refused ? "refused: " + refused->details : text);
    }
    std::vector<std::string>& told;
  };
  /// A client says it; what it is told is in `told` once the runner has run.
  void say(const std::string& operation, std::uint64_t session = 1) {
    auto call = std::make_unique<Call>(told);
    call->session = SessionId{session};
    call->mailbox = &mailbox;
    call->database = "D";
    call->request = parse_json(R"(["D",)" + operation + "]").value();
    call->params = call->request.root();
    call->only_reads = operation.find("select") != std::string::npos;
    call->transaction = Transaction::from_json(database().info->schema, call->params);
    on_writer([&] { server.transact(std::move(call)); });
  }
  std::vector<std::string> hear() {
    runner.run();
    return std::exchange(told, {});
  }
  void wait_for_backups() {
    on_writer([&] { server.set_sync({.replicas = 1, .fallback = CommitGate::Fallback::kBlock}); });
  }

  Mailbox mailbox{runner};
  std::vector<std::string> told;
};

const std::string kInsert = R"({"op":"update","table":"T","where":[],"row":{"n":1}})";
const std::string kCount = R"({"op":"select","table":"T","where":[],"columns":["n"]})";
const std::string kAdd =
    R"({"op":"insert","table":"T","row":{"n":5},"uuid":"00000000-0000-0000-0000-000000000005"})";
const std::string kAdded = R"([{"uuid":["uuid","00000000-0000-0000-0000-000000000005"]}])";

using Told = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Site, "a client thread is told of a commit before its reply") {
  say(kAdd);
  CHECK(hear() == Told{"commit of D", kAdded});
  say(kInsert);
  say(kCount);
  CHECK(hear() == Told{"commit of D", R"([{"count":1}])", R"([{"rows":[{"n":1}]}])"});
}

TEST_CASE_METHOD(Site, "what was not logged is not published, and its transaction says so") {
  files.fail(test::FakeFileSystem::Op::kWrite, ENOSPC);
  say(kAdd);
  const Told heard = hear();
  REQUIRE(heard.size() == 1);
  CHECK_THAT(heard[0], Catch::Contains("I/O error"));
  say(kCount);
  CHECK(hear() == Told{R"([{"rows":[]}])"});
}

TEST_CASE_METHOD(Site, "all of a database waits behind a commit that no backup has") {
  wait_for_backups();
  say(kAdd);
  say(kInsert, 2);
  CHECK(hear().empty());
  CHECK(server.waiting(database()) == 2);
  clock.now_ms += 250;
  CHECK(server.waiting_ms(database()) == 250);
  SECTION("until the gate waits for none") {
    on_writer([&] { server.set_sync({}); });
    CHECK(hear() == Told{"commit of D", kAdded, "commit of D", R"([{"count":1}])"});
    CHECK(server.waiting(database()) == 0);
  }
  SECTION("until the server becomes a backup") {
    on_writer([&] { server.set_backup(database(), true); });
    const std::string refused =
        "refused: the server became a backup before enough backups had acknowledged";
    CHECK(hear() == Told{"commit of D", refused, "commit of D", refused, "role"});
  }
  SECTION("until the database goes") {
    on_writer([&] { server.remove("D").value(); });
    const Told heard = hear();
    REQUIRE(heard.size() >= 4);
    CHECK_THAT(heard[1], Catch::Contains("the database was removed"));
    CHECK(std::count(heard.begin(), heard.end(), "directory of 1") == 1);
  }
}

TEST_CASE_METHOD(Site, "reads look past a shut gate after a moment, and see what is published") {
  wait_for_backups();
  say(kAdd);
  say(kCount, 2);
  say(kCount, 1);  // waits for the answer to its own write
  CHECK(hear().empty());
  CHECK(wake_ms == clock.now_ms + 100);
  clock.now_ms += 100;
  tick();
  CHECK(hear() == Told{R"([{"rows":[]}])"});
  on_writer([&] { server.set_sync({}); });
  CHECK(hear() == Told{"commit of D", kAdded, R"([{"rows":[{"n":5}]}])"});
}

TEST_CASE_METHOD(Site, "a client thread is told of databases that come and go") {
  on_writer([&] {
    static_cast<void>(storage::LogFile::create(files, "/E", R"({"name":"E","tables":{}})").value());
    server.add(StoredDatabase::open(files, "/E", {}, clock).value()).value();
  });
  Told heard = hear();
  CHECK(std::count(heard.begin(), heard.end(), "directory of 3") == 1);
  on_writer([&] { server.remove("E").value(); });
  heard = hear();
  CHECK(std::count(heard.begin(), heard.end(), "directory of 2") == 1);
}

}  // namespace tandem
