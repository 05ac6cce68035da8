#include "server/logging/event_count.h"

#include <catch2/catch.hpp>

using namespace tandem;

namespace {

EventCount often("test_often");
EventCount never("test_never");

std::string line_of(const EventRates& rates, const std::string& name) {
  const std::string text = rates.show();
  const std::size_t begin = text.find("\n" + name);
  return begin == std::string::npos
             ? ""
             : text.substr(begin + 1, text.find('\n', begin + 1) - begin - 1);
}

}  // namespace

TEST_CASE("Rates are those of the last 5 seconds, minute and hour") {
  EventRates rates;
  often.add(60);
  rates.sample();
  CHECK(
      line_of(rates, "test_often").starts_with("test_often                12.0/sec     1.000/sec"));
  rates.sample();
  CHECK(
      line_of(rates, "test_often").starts_with("test_often                 0.0/sec     1.000/sec"));
  for (int i = 0; i < 11; ++i) rates.sample();
  CHECK(line_of(rates, "test_often")
            .starts_with(
                "test_often                 0.0/sec     0.000/sec        0.0167/sec   total: 60"));
  for (int i = 0; i < 720; ++i) rates.sample();
  CHECK(line_of(rates, "test_often") ==
        "test_often                 0.0/sec     0.000/sec        0.0000/sec   total: 60");
}

TEST_CASE("What never happened is only counted") {
  const EventRates rates;
  CHECK(line_of(rates, "test_never").empty());
  CHECK(rates.show().ends_with(" events never hit\n"));
  CHECK(rates.total("test_never") == 0);
  CHECK_FALSE(rates.total("nil"));
}
