#include "protocol/uuid.h"

#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

using namespace tandem;

TEST_CASE("a UUID reads in either case and prints in lower case") {
  const auto uuid = Uuid::parse("550E8400-e29b-41D4-a716-446655440000");
  REQUIRE(uuid);
  CHECK(uuid->hi == 0x550e8400e29b41d4);
  CHECK(uuid->lo == 0xa716446655440000);
  CHECK(uuid->to_string() == "550e8400-e29b-41d4-a716-446655440000");
}

TEST_CASE("what is not exactly the 36-character form is no UUID") {
  CHECK_FALSE(Uuid::parse(""));
  CHECK_FALSE(Uuid::parse("550e8400-e29b-41d4-a716-44665544000"));
  CHECK_FALSE(Uuid::parse("550e8400-e29b-41d4-a716-4466554400000"));
  CHECK_FALSE(Uuid::parse("550e8400-e29b-41d4-a716-44665544000g"));
  CHECK_FALSE(Uuid::parse("550e8400ae29b-41d4-a716-446655440000"));
  CHECK_FALSE(Uuid::parse(" 50e8400-e29b-41d4-a716-446655440000"));
}

TEST_CASE("UUIDs are ordered as their text is") {
  CHECK(*Uuid::parse("00000000-0000-0000-ffff-ffffffffffff") <
        *Uuid::parse("00000000-0000-0001-0000-000000000000"));
  CHECK(Uuid().is_zero());
}

TEST_CASE("random UUIDs are of version 4 and differ between threads") {
  constexpr std::size_t kEach = 1000;
  std::vector<std::vector<Uuid>> made(4);
  std::vector<std::thread> threads;
  threads.reserve(made.size());
  for (auto& mine : made) {
    threads.emplace_back([&mine] {
      for (std::size_t i = 0; i < kEach; ++i) mine.push_back(Uuid::random());
    });
  }
  for (auto& thread : threads) thread.join();

  std::set<Uuid> all;
  for (const auto& mine : made) all.insert(mine.begin(), mine.end());
  CHECK(all.size() == made.size() * kEach);
  const std::string text = all.begin()->to_string();
  CHECK(text[14] == '4');
  CHECK(std::string("89ab").find(text[19]) != std::string::npos);
}
