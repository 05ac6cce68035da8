#include "server/posix/process_figures.h"

#include <fcntl.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "server/posix/unique_fd.h"

namespace tandem {
namespace {

TEST_CASE("what a process takes is read while it runs") {
  const ProcessFigures before = read_process_figures();
  const UniqueFd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const ProcessFigures after = read_process_figures();
  REQUIRE(before.open_descriptors);
  CHECK(after.open_descriptors == *before.open_descriptors + 1);
  CHECK(after.most_descriptors.value() > *after.open_descriptors);
  CHECK(after.resident_bytes.value() > 100'000);
  CHECK(after.virtual_bytes.value() >= *after.resident_bytes);
  CHECK(after.cpu_seconds.value() >= before.cpu_seconds.value());
}

TEST_CASE("a process has been started lately, and only once") {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const double start = read_process_figures().start_time_seconds.value();
  const double age = std::chrono::duration<double>(now).count() - start;
  CHECK(age > -1);
  CHECK(age < 3600);
  CHECK(read_process_figures().start_time_seconds == start);
}

}  // namespace
}  // namespace tandem
