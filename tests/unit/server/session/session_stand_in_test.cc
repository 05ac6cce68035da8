// Reads while a write of the log does not return.

#include "tests/unit/server/session/hung_site.h"

namespace tandem {
namespace {

using namespace session_test;

TEST_CASE("who reads while the disk hangs sees what is published") {
  HungSite site;
  Client reader(site);
  site.hang([&] {
    reader.say("transact", kSelect, "5");
    site.serve();
    CHECK(taken(reader) == R"({"error":null,"id":5,"result":[{"rows":[{"n":1}]}]})");
    CHECK(taken(site.writer).empty());
  });
  CHECK(has_reply(taken(site.writer), "2"));
  CHECK(reader.ask("transact", kSelect).find(R"({"n":2})") != std::string::npos);
  CHECK(site.position().index == 2);
}

TEST_CASE("what is taken out while the disk hangs stays out when the write fails") {
  HungSite site;
  Client reader(site);
  site.files.fail(Op::kWrite, EIO);
  site.hang([&] {
    reader.say("transact", kSelect, "5");
    site.serve();
    CHECK(has_reply(taken(reader), "5"));
  });
  CHECK(taken(site.writer).find("I/O error") != std::string::npos);
  CHECK(reader.ask("transact", kSelect) ==
        R"({"error":null,"id":1,"result":[{"rows":[{"n":1}]}]})");
  CHECK(site.writer.ask("transact", insert(3)).find("uuid") != std::string::npos);
}

TEST_CASE("what was asked for before anybody saw that the disk hangs is answered, too") {
  HungSite site;
  Client early(site);
  Client late(site);
  site.files.during_next(Op::kWrite, [&] {
    late.say("transact", kSelect, "6");
    site.notice();
    site.serve();
    CHECK(taken(early) == R"({"error":null,"id":5,"result":[{"rows":[{"n":1}]}]})");
    CHECK(has_reply(taken(late), "6"));
  });
  // In one batch.
  site.writer.say("transact", insert(2), "2");
  early.say("transact", kSelect, "5");
  site.run();
  CHECK(taken(early).empty());
}

TEST_CASE("a monitor that starts while the disk hangs is told of the commit when it is published") {
  HungSite site;
  Client reader(site);
  const std::string first =
      reader.ask("monitor_cond_since", std::string(R"(["D","a",{"T":[{}]},)") + kNoId + "]");
  const std::string id = first.substr(first.find("false,\"") + 6, 38);
  site.hang([&] {
    reader.say("monitor_cond_since", R"(["D","b",{"T":[{}]},)" + id + "]", "5");
    site.serve();
    const std::string answer = taken(reader);
    CHECK(answer.find("[true," + id + ",{}]") != std::string::npos);
  });
  const std::string updates = taken(reader);
  CHECK(updates.find(R"(["a",)") != std::string::npos);
  CHECK(updates.find(R"(["b",)") != std::string::npos);
  CHECK(updates.find(R"("n":2)") != std::string::npos);
}

TEST_CASE("a monitor in the batch of the write that hangs starts, too") {
  HungSite site;
  Client reader(site);
  site.files.during_next(Op::kWrite, [&] {
    site.notice();
    site.serve();
    const std::string answer = taken(reader);
    CHECK(has_reply(answer, "5"));
    CHECK(answer.find(R"("n":2)") == std::string::npos);
  });
  site.writer.say("transact", insert(2), "2");
  reader.say("monitor", R"(["D","m",{"T":{}}])", "5");
  site.run();
  CHECK(taken(reader).find(R"("n":2)") != std::string::npos);
}

TEST_CASE("while the disk hangs nobody's reads come before what they asked for earlier") {
  HungSite site;
  Client other(site);
  site.hang([&] {
    other.say("transact", insert(3), "5");
    other.say("transact", kSelect, "6");
    site.writer.say("transact", kSelect, "7");
    site.serve();
    CHECK(taken(other).empty());
    CHECK(taken(site.writer).empty());
  });
  const std::string answers = taken(other);
  CHECK(has_reply(answers, "5"));
  CHECK(answers.find("\"id\":5,") < answers.find("\"id\":6,"));
  CHECK(taken(site.writer).find(R"({"n":2})") != std::string::npos);
}

TEST_CASE("commits that wait for a gate are not read while the disk hangs") {
  HungSite site;
  Client backup(site);
  Client reader(site);
  site.hold_commits(backup);
  CHECK(site.writer.ask("transact", insert(7)).empty());
  site.hang([&] {
    reader.say("transact", kSelect, "5");
    reader.say("monitor_cond_since", std::string(R"(["D","b",{"T":[{}]},)") + kNoId + "]", "6");
    site.serve();
    const std::string answers = taken(reader);
    CHECK(answers.find(R"({"rows":[{"n":1}]})") != std::string::npos);
    CHECK(has_reply(answers, "6"));
    CHECK(answers.find(R"("n":7)") == std::string::npos);
  });
  CHECK(taken(reader).empty());
  backup.acknowledge(site.position());
  site.run();
  const std::string updates = taken(reader);
  CHECK(updates.find(R"("n":7)") != std::string::npos);
  CHECK(updates.find(R"("n":2)") != std::string::npos);
}

TEST_CASE("what the writer has left for its own clients reaches them while the disk hangs") {
  HungSite site;
  Client reader(site);
  site.files.during_next(Op::kWrite, [&] {
    site.serve();  // in its other thread from now on
    CHECK(taken(reader).empty());
    site.notice();
    site.serve();
    CHECK(has_reply(taken(reader), "5"));
  });
  // In one batch.
  reader.say("monitor", R"(["D","m",{"T":{}}])", "5");
  site.writer.say("transact", insert(2), "2");
  site.run();
}

TEST_CASE("what one disk has refused is not taken back again when the next one hangs") {
  HungSite site;
  site.add("E");
  Client other(site);
  Client reader(site);
  site.files.fail(Op::kWrite, EIO);
  site.files.during_next(Op::kWrite, [&] {
    site.files.during_next(Op::kWrite, [&] {
      site.notice();
      reader.say("transact", kSelect, "5");
      site.serve();
      CHECK(taken(reader) == R"({"error":null,"id":5,"result":[{"rows":[{"n":1}]}]})");
    });
  });
  // In one batch.
  site.writer.say("transact", insert(2), "2");
  other.say("transact", R"(["E",{"op":"insert","table":"T","row":{"n":3}}])", "3");
  site.run();
  REQUIRE_FALSE(site.files.is_awaited(Op::kWrite));
  CHECK(taken(site.writer).find("I/O error") != std::string::npos);
  CHECK(taken(other).find("uuid") != std::string::npos);
  CHECK(reader.ask("transact", kSelect) ==
        R"({"error":null,"id":1,"result":[{"rows":[{"n":1}]}]})");
}

TEST_CASE("nobody is told the id of what is not published, however short the history is") {
  HungSite site(0);
  Client backup(site);
  Client reader(site);
  site.hold_commits(backup);
  CHECK(site.writer.ask("transact", insert(7)).empty());
  site.hang([&] {
    reader.say("monitor_cond_since", std::string(R"(["D","b",{"T":[{}]},)") + kNoId + "]", "6");
    site.serve();
    CHECK(taken(reader).empty());
  });
  backup.acknowledge(site.position());
  site.run();
  const std::string answer = taken(reader);
  CHECK(has_reply(answer, "6"));
  CHECK(answer.find(R"("n":2)") != std::string::npos);
}

}  // namespace
}  // namespace tandem
