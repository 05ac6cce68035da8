#include "ocf/agent/decision/bulletin.h"

#include <catch2/catch.hpp>

namespace tandem::agent {
namespace {

TEST_CASE("A notice is read back as it was published") {
  Notice notice;
  notice.word = Notice::Word::kFinal;
  notice.node = "ctl1";
  notice.host = "host";
  notice.round = "7f3a";
  notice.copy.databases[Which::kNb] = Copy::Database{
      Height{Epoch{5}, 100}, Uuid::parse("00000000-0000-0000-0000-000000000007"), true};
  notice.copy.databases[Which::kSb] = Copy::Database{Height{Epoch{5}, 90}, std::nullopt, false};
  notice.taken = {Epoch{7}, Epoch{9}};
  const auto read = Notice::parse(notice.to_text(), "host");
  REQUIRE(read);
  CHECK(read->word == notice.word);
  CHECK(read->node == "ctl1");
  CHECK(read->round == "7f3a");
  CHECK(read->copy == notice.copy);
  CHECK(read->taken == notice.taken);
}

TEST_CASE("The first format has neither a question nor a word about sync") {
  const auto read = Notice::parse("live,5,100,5,90,ctl1", "host");
  REQUIRE(read);
  CHECK(read->format == 1);
  CHECK(read->node == "ctl1");
  CHECK(read->copy.databases[Which::kNb]->height == Height{Epoch{5}, 100});
  CHECK_FALSE(read->copy.is_whole());
}

TEST_CASE("A later format may have further fields") {
  const auto read = Notice::parse("live,5,100,5,90,ctl1,3,-,11,-,-,news,9,more", "host");
  REQUIRE(read);
  CHECK(read->taken == Pair<Epoch>{Epoch{}, Epoch{9}});
  CHECK(read->format == 3);
  CHECK(read->copy.is_whole());
}

TEST_CASE("What is no notice is none, and a stock server has no position") {
  CHECK_FALSE(Notice::parse("", "host"));
  CHECK_FALSE(Notice::parse("dreaming,1,1,1,1,ctl1", "host"));
  const auto read = Notice::parse("cut,-,-,-,-,ctl1", "host");
  REQUIRE(read);
  CHECK_FALSE(read->copy.is_known());
}

TEST_CASE("Of an instance that has moved the notice where it runs counts") {
  Bulletin bulletin;
  bulletin.notices.push_back(*Notice::parse("stopped,1,1,1,1,bundle", "old"));
  bulletin.notices.push_back(*Notice::parse("live,1,1,1,1,bundle", "new"));
  CHECK(bulletin.of("bundle")->host == "new");
  CHECK(bulletin.of("other") == nullptr);
}

}  // namespace
}  // namespace tandem::agent
