#include "server/session/request_window.h"

#include <catch2/catch.hpp>

namespace tandem {
namespace {

/// How many selects go before the window closes; all are answered by so many rows.
std::size_t fill(RequestWindow& window, std::size_t rows) {
  std::size_t count = 0;
  for (; window.is_open(); ++count) window.begin(true);
  for (std::size_t i = 0; i < count; ++i) window.end(rows);
  return count;
}

TEST_CASE("requests that select nothing are as many as the limit says, answered or not") {
  RequestWindow window(256);
  std::size_t count = 0;
  for (; window.is_open(); ++count) window.begin(false);
  CHECK(count == 256);
  CHECK(window.is_full());
  window.end(std::nullopt);
  CHECK(window.is_open());
}

TEST_CASE("a window begins with a few selects and grows with small answers to its limit") {
  RequestWindow window(256);
  CHECK(fill(window, 0) == 8);
  CHECK(fill(window, 1) == 16);
  for (int i = 0; i < 10; ++i) fill(window, 1);
  CHECK(fill(window, 1) == 256);
}

TEST_CASE("answers that hold many rows come one at a time") {
  RequestWindow window(256);
  fill(window, 100'000);
  CHECK(fill(window, 100'000) == 1);
  CHECK(fill(window, 100'000) == 1);
  CHECK(fill(window, 10'000) == 1);
  CHECK(fill(window, 10'000) == 2);
}

TEST_CASE("a limit of one is one") {
  RequestWindow window(1);
  CHECK(fill(window, 0) == 1);
  CHECK(fill(window, 0) == 1);
  window.begin(true);
  CHECK(window.is_full());
}

}  // namespace
}  // namespace tandem
