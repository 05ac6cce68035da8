#include "server/daemon/errands.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/fake_runner.h"

namespace tandem {
namespace {

/// Home, a writer that runs when the test says so, and a clock that strikes when it says so.
struct Fixture {
  FakeRunner home;
  FakeRunner writer;
  std::vector<std::function<void()>> later;
  Errands errands{
      home, [this](std::int64_t, std::function<void()> task) { later.push_back(std::move(task)); }};
  const Errands::HandIn to_writer = [this](Task job) { writer.post(std::move(job)); };
  std::string log;

  void ask(const std::string& name) {
    errands.run(
        to_writer,
        [this, name]() -> Result<std::string> {
          log += name + " begins;";
          return {boost::system::in_place_value, name};
        },
        [this](const Result<std::string>& outcome) {
          log += (outcome ? *outcome + " done" : outcome.error().to_string()) + ';';
        });
  }
  void strike() {
    for (const auto& task : std::exchange(later, {})) task();
  }
};

const std::string kBusy = server_is_busy().to_string() + ';';

TEST_CASE_METHOD(Fixture, "an errand is done elsewhere and told at home") {
  ask("a");
  CHECK(log.empty());
  writer.run();
  CHECK(log == "a begins;");
  home.run();
  CHECK(log == "a begins;a done;");
  strike();
  home.run();
  CHECK(log == "a begins;a done;");
}

TEST_CASE_METHOD(Fixture, "what nobody could begin in time is told as busy, and never happens") {
  ask("a");
  strike();
  CHECK(log == kBusy);
  writer.run();
  home.run();
  CHECK(log == kBusy);
}

TEST_CASE_METHOD(Fixture, "what has begun in time is told when it is done, however late") {
  ask("a");
  writer.run();
  strike();
  CHECK(log == "a begins;");
  home.run();
  CHECK(log == "a begins;a done;");
}

TEST_CASE_METHOD(Fixture, "what an errand holds is let go with it when it is given up") {
  const auto held = std::make_shared<int>(1);
  errands.run(
      to_writer, [held]() { return Result<void>(); }, [](const Result<void>&) {});
  CHECK(held.use_count() == 2);
  strike();
  CHECK(held.use_count() == 1);
}

TEST_CASE_METHOD(Fixture, "the later steps of a change are not given up") {
  errands.finish(
      to_writer, [] { return Result<void>(); }, [this](const Result<void>&) { log += "done;"; });
  strike();
  writer.run();
  home.run();
  CHECK(log == "done;");
}

}  // namespace
}  // namespace tandem
