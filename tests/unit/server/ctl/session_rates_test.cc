#include "server/ctl/session_rates.h"

#include <catch2/catch.hpp>

namespace tandem::ctl {
namespace {

using Clock = std::chrono::steady_clock;

std::string session(const std::string& name, int requests) {
  return R"({"name":")" + name + R"(","remote":"ptcp:1","requests":)" + std::to_string(requests) +
         R"(,"unsent_bytes":7,"behind":true,"locks":["l"],"awaited_locks":["m"],"role":"r"})";
}

TEST_CASE("clients are shown with their requests a second, who sends most first") {
  SessionRates rates;
  const Clock::time_point begin;
  const std::string head = "CLIENT  REMOTE  ROLE  REQ/S  REQUESTS  OPEN  UNSENT  MONITORS  LOCKS\n";
  CHECK(rates.show(R"({"sessions":[)" + session("a", 10) + "," + session("b", 5) + "]}", begin) ==
        head +
            "a       ptcp:1  r     -      10        0     7 slow  0         l, waits for m\n"
            "b       ptcp:1  r     -      5         0     7 slow  0         l, waits for m\n");
  const std::string later = rates.show(
      R"({"sessions":[)" + session("a", 11) + "," + session("b", 25) + "," + session("c", 3) + "]}",
      begin + std::chrono::milliseconds(2000));
  CHECK_THAT(later, Catch::StartsWith("CLIENT  REMOTE  ROLE  REQ/S  REQUESTS  OPEN"));
  CHECK_THAT(later, Catch::Contains("\nb       ptcp:1  r     10.0   25 "));
  CHECK_THAT(later, Catch::Contains("\na       ptcp:1  r     0.5    11 "));
  CHECK_THAT(later, Catch::Contains("\nc       ptcp:1  r     -      3 "));
  CHECK(later.find("\nb ") < later.find("\na "));
  // Another client has the name now.
  CHECK_THAT(rates.show(R"({"sessions":[)" + session("b", 1) + "]}", begin + std::chrono::hours(1)),
             Catch::Contains("\nb       ptcp:1  r     -      1 "));
}

TEST_CASE("clients of several servers stand by server, and what is no answer is shown as it is") {
  SessionRates rates;
  const std::string text =
      rates.show(R"({"servers":[{"target":"one","sessions":{"sessions":[)" + session("a\\n", 1) +
                     R"(]}},{"target":"two","error":"gone"}]})",
                 {});
  CHECK_THAT(text, Catch::StartsWith("== one\nCLIENT "));
  CHECK_THAT(text, Catch::Contains("\na\\n "));
  CHECK(rates.show("nonsense", {}) == "nonsense");
  CHECK(rates.show("{}", {}) == "{}");
}

}  // namespace
}  // namespace tandem::ctl
