#include "server/storage/daily_window.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>

using namespace tandem::storage;
using namespace std::chrono_literals;

namespace {

std::string refusal(std::string_view text) { return DailyWindow::parse(text).error().to_string(); }

}  // namespace

TEST_CASE("A window contains its begin and not its end") {
  const DailyWindow window = DailyWindow::parse("02:30-04:00").value();
  CHECK(!window.contains(2h + 29min));
  CHECK(window.contains(2h + 30min));
  CHECK(window.contains(3h + 59min));
  CHECK(!window.contains(4h));
}

TEST_CASE("A window may pass midnight") {
  const DailyWindow window = DailyWindow::parse("23:00-01:15").value();
  CHECK(!window.contains(22h + 59min));
  CHECK(window.contains(23h));
  CHECK(window.contains(0min));
  CHECK(window.contains(1h + 14min));
  CHECK(!window.contains(1h + 15min));
  CHECK(!window.contains(12h));
}

TEST_CASE("A window may be a whole day, or end with it") {
  const DailyWindow day = DailyWindow::parse("00:00-24:00").value();
  CHECK(day.contains(0min));
  CHECK(day.contains(23h + 59min));
  const DailyWindow evening = DailyWindow::parse("20:00-00:00").value();
  CHECK(evening.contains(23h + 59min));
  CHECK(!evening.contains(0min));
}

TEST_CASE("What is no window is refused") {
  for (const char* text : {"", "-", "02:00", "2:00-3:00", "02:00-03", "02:00-25:00", "02:00-24:01",
                           "02:60-03:00", "02.00-03.00", "02:00-03:00 ", "-2:00-03:00",
                           "02:00--3:00", "+2:00-03:00", "02:00-03:00-04:00"}) {
    CHECK(refusal(text) == "\"" + std::string(text) + "\" is not of the form HH:MM-HH:MM");
  }
  CHECK(refusal("02:00-02:00") == "\"02:00-02:00\" ends when it begins");
}

TEST_CASE("The time of day is that of the local zone") {
  const char* const zone = std::getenv("TZ");
  const std::string before = zone ? zone : "";
  setenv("TZ", "XYZ-5:30", 1);
  tzset();
  CHECK(local_time_of_day(1'700'000'000'000) == 3h + 43min);  // 22:13:20 UTC
  if (zone)
    setenv("TZ", before.c_str(), 1);
  else
    unsetenv("TZ");
  tzset();
}
