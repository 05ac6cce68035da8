// Reads behind commits whose gate does not open.

#include "tests/unit/server/session/hung_site.h"

namespace tandem {
namespace {

using namespace session_test;

/// A site where a commit, 7, waits for a backup.
struct HeldSite : HungSite {
  HeldSite() {
    hold_commits(backup);
    CHECK(writer.ask("transact", insert(7)).empty());
  }
  /// Its history holds none of the commits that wait.
  void on_short_history() { const_cast<History&>(database().stored->history()).set_max_bytes(1); }

  Client backup{*this};
};

constexpr std::string_view kPublished = R"({"rows":[{"n":1}]})";

TEST_CASE("a read behind a commit that waits sees what is published, after a moment") {
  HeldSite site;
  Client reader(site);
  CHECK(reader.ask("transact", kSelect).empty());
  site.pass(99);
  CHECK(taken(reader).empty());
  site.pass(1);
  CHECK(taken(reader).find(kPublished) != std::string::npos);
  // Those that follow do not wait less for each other.
  CHECK(reader.ask("transact", kSelect).empty());
  site.pass(99);
  CHECK(taken(reader).empty());
  site.pass(1);
  CHECK(taken(reader).find(kPublished) != std::string::npos);
  site.backup.acknowledge(site.position());
  site.run();
  CHECK(has_reply(taken(site.writer), "1"));
  CHECK(reader.ask("transact", kSelect).find(R"({"n":7})") != std::string::npos);
}

TEST_CASE("a monitor that starts behind a commit that waits is told of it when it is published") {
  HeldSite site;
  Client reader(site);
  reader.say("monitor_cond_since", std::string(R"(["D","b",{"T":[{}]},)") + kNoId + "]", "6");
  reader.say("transact", kSelect, "7");
  site.run();
  CHECK(taken(reader).empty());
  site.pass(100);
  std::string answers = taken(reader);
  CHECK(has_reply(answers, "6"));
  site.pass(100);  // what is behind it is asked for only now
  answers += taken(reader);
  CHECK(has_reply(answers, "7"));
  CHECK(answers.find(R"("n":7)") == std::string::npos);
  site.backup.acknowledge(site.position());
  site.run();
  CHECK(taken(reader).find(R"("n":7)") != std::string::npos);
}

TEST_CASE("who waits for an answer to a write reads behind it") {
  HeldSite site;
  site.writer.say("transact", kSelect, "8");
  site.pass(100);
  CHECK(taken(site.writer).empty());
  site.backup.acknowledge(site.position());
  site.run();
  const std::string answers = taken(site.writer);
  CHECK(has_reply(answers, "1"));
  CHECK(answers.find(R"({"n":7})") != std::string::npos);
}

TEST_CASE(
    "a read behind its session's own write is answered after that, though another commit waits") {
  HeldSite site;
  Client reader(site);
  CHECK(reader.ask("transact", insert(9)).empty());
  const Position own = site.position();
  site.writer.say("transact", insert(10), "2");
  reader.say("transact", kSelect, "8");
  site.run();
  site.pass(100);
  CHECK(taken(reader).empty());
  site.backup.acknowledge(own);
  site.run();
  CHECK(has_reply(taken(reader), "1"));
  site.pass(100);
  const std::string answer = taken(reader);
  CHECK(has_reply(answer, "8"));
  CHECK(answer.find(R"({"n":9})") != std::string::npos);
  CHECK(answer.find(R"({"n":10})") == std::string::npos);
}

TEST_CASE("a monitor without ids starts however short the history is") {
  HeldSite site;
  site.on_short_history();
  Client reader(site);
  CHECK(reader.ask("monitor", R"(["D","m",{"T":{}}])").empty());
  site.pass(100);
  const std::string answer = taken(reader);
  CHECK(has_reply(answer, "1"));
  CHECK(answer.find(R"("n":7)") == std::string::npos);
}

TEST_CASE("what is written while reads are answered past a gate is whole afterwards") {
  HeldSite site;
  Client reader(site);
  Client other(site);
  CHECK(reader.ask("transact", kSelect).empty());
  site.pass(100);
  CHECK(has_reply(taken(reader), "1"));
  CHECK(other
            .ask("transact",
                 R"(["D",{"op":"update","table":"T","where":[["n","==",7]],"row":{"n":8}}])")
            .empty());
  CHECK(reader.ask("transact", kSelect).empty());
  site.pass(100);
  CHECK(taken(reader).find(kPublished) != std::string::npos);
  site.backup.acknowledge(site.position());
  site.run();
  CHECK(taken(other).find(R"({"count":1})") != std::string::npos);
  const std::string rows = reader.ask("transact", kSelect);
  CHECK(rows.find(R"({"n":8})") != std::string::npos);
  CHECK(rows.find(R"({"n":7})") == std::string::npos);
}

}  // namespace
}  // namespace tandem
