#include "server/daemon/last_resort.h"

#include <atomic>
#include <catch2/catch.hpp>

namespace tandem {
namespace {

using std::chrono::milliseconds;

TEST_CASE("the last resort is taken when the orderly end takes too long") {
  std::atomic<bool> left = false;
  LastResort last_resort;
  last_resort.arm(milliseconds(0), [&] { left = true; });
  while (!left) std::this_thread::yield();
}

TEST_CASE("the last resort is called off by an orderly end") {
  bool left = false;
  {
    LastResort last_resort;
    last_resort.arm(std::chrono::hours(1), [&] { left = true; });
  }
  CHECK(!left);
}

}  // namespace
}  // namespace tandem
