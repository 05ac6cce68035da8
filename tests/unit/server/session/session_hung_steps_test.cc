// Reads, and backups that begin, while another step than the write of a log does not return.

#include "tests/unit/server/session/hung_site.h"

namespace tandem {
namespace {

using namespace session_test;

TEST_CASE("who reads while a conversion waits for the disk sees the rows as they were") {
  const char* const schema =
      R"(["D",{"name":"D","tables":{"T":{"columns":{"m":{"type":"integer"}},"isRoot":true}}}])";
  const Op op = GENERATE(Op::kCreate, Op::kWrite, Op::kSync, Op::kRename, Op::kUnlink);
  HungSite site;
  Client reader(site);
  site.hang(
      op, [&] { site.writer.say("convert", schema, "2"); },
      [&] {
        site.writer.say("transact", kSelect, "3");
        reader.say("transact", kSelect, "5");
        reader.say("monitor", R"(["D","m",{"T":{}}])", "6");
        site.serve();
        const std::string answers = taken(reader);
        CHECK(answers.find(R"({"error":null,"id":5,"result":[{"rows":[{"n":1}]}]})") !=
              std::string::npos);
        CHECK(has_reply(answers, "6"));
        CHECK(taken(site.writer).empty());
      });
  CHECK(has_reply(taken(site.writer), "2"));
  Client later(site);
  CHECK(later.ask("transact", R"(["D",{"op":"select","table":"T","where":[]}])").find("\"m\":0") !=
        std::string::npos);
}

TEST_CASE("who reads while a compaction waits for the disk is answered") {
  const Op op = GENERATE(Op::kLock, Op::kCreate, Op::kRename, Op::kUnlink);
  HungSite site;
  Client reader(site);
  bool compacted = false;
  site.hang(
      op,
      [&] {
        site.server.submit(
            [&] {
              site.server.compact(site.database(),
                                  [&](const Result<void>& done) { compacted = done.has_value(); });
            },
            site.shard);
      },
      [&] {
        reader.say("transact", kSelect, "5");
        site.serve();
        CHECK(has_reply(taken(reader), "5"));
      });
  CHECK(compacted);
}

TEST_CASE("a backup begins while the disk hangs, and is sent the commit when it is written") {
  HungSite site;
  Client backup(site);
  const Position before = site.position();
  site.hang([&] {
    backup.say_follow(kBackup, before, "5");
    site.serve();
    const std::string answer = taken(backup);
    CHECK(has_reply(answer, "5"));
    CHECK(answer.find(R"("mode":"resume")") != std::string::npos);
    CHECK(answer.find(to_text(before)) != std::string::npos);
  });
  const std::string sent = taken(backup);
  CHECK(sent.find("tandem_record") != std::string::npos);
  CHECK(sent.find(to_text(site.position())) != std::string::npos);
}

TEST_CASE("a backup that begins while the disk hangs is not told of a commit that fails") {
  HungSite site;
  Client backup(site);
  const Position before = site.position();
  site.files.fail(Op::kWrite, EIO);
  site.hang([&] {
    backup.say_follow(kBackup, before, "5");
    site.serve();
    CHECK(has_reply(taken(backup), "5"));
  });
  CHECK(taken(backup).empty());
  CHECK(site.writer.ask("transact", insert(3)).find("uuid") != std::string::npos);
  CHECK(taken(backup).find("tandem_record") != std::string::npos);
}

TEST_CASE(
    "a backup that begins while commits wait for a gate and the disk hangs comes after them") {
  HungSite site;
  Client first(site);
  Client second(site);
  const Position before = site.position();
  site.hold_commits(first);
  CHECK(site.writer.ask("transact", insert(7)).empty());
  site.hang([&] {
    second.say_follow(kOther, before, "5");
    site.serve();
    CHECK(taken(second).empty());
  });
  const std::string answer = taken(second);
  CHECK(has_reply(answer, "5"));
  CHECK(answer.find(to_text(site.position())) != std::string::npos);
}

}  // namespace
}  // namespace tandem
