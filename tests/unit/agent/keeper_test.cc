#include "ocf/agent/decision/keeper.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "ocf/agent/decision/machine.h"

namespace tandem::agent {
namespace {

using Outcome = Answer::Outcome;

Order order(Order::Action action) {
  Order order;
  order.action = action;
  order.node = order.attributes_host = "ctl1";
  order.settings.master_ip = "192.0.2.10";
  return order;
}

Memory promoted() {
  Memory memory;
  memory.started = memory.keeping = true;
  memory.granted_ms = 40'000;
  return memory;
}

std::string status(const AskServer& step) {
  return R"({"databases":[{"name":")" + database_of(step.which) + R"(","role":"active"}]})";
}

template <class What>
bool is(const Step& step) {
  return std::holds_alternative<What>(step.what);
}

/// How many steps a keeper takes in a minute, if all of them but its pauses are answered at once.
template <class AnswerStep>
int steps_in_a_minute(AnswerStep answer_step) {
  std::int64_t now_ms = 1'000'000;
  const std::int64_t end_ms = now_ms + 60'000;
  Machine machine(order(Order::Action::kKeep), promoted(), now_ms, 1);
  int steps = 0;
  while (now_ms < end_ms && steps < 100'000 && !machine.finished()) {
    for (const Step& step : machine.take_steps()) {
      ++steps;
      Answer answer = answer_step(step);
      if (is<ReadMemory>(step)) answer = {Outcome::kDone, promoted().to_text(), {}};
      if (is<Pause>(step)) answer = {};
      if (answer.outcome == Outcome::kSilent) now_ms += step.limit_ms;
      machine.answer(step.id, std::move(answer), now_ms);
    }
  }
  return steps;
}

TEST_CASE("A keeper for which nothing is there, or of which all is refused, asks seldom") {
  const auto outcome = GENERATE(Outcome::kDone, Outcome::kRefused, Outcome::kNotThere);
  CHECK(steps_in_a_minute([&](const Step&) { return Answer{outcome, "", {}}; }) < 60 * 40);
}

TEST_CASE("A keeper asks seldom whose connections are lost at once while the servers are well") {
  CHECK(steps_in_a_minute([](const Step& step) {
          const auto* ask = std::get_if<AskServer>(&step.what);
          return Answer{Outcome::kDone, ask != nullptr ? status(*ask) : "", {}};
        }) < 60 * 40);
}

TEST_CASE("A keeper ends when nothing is remembered any more") {
  Machine machine(order(Order::Action::kKeep), promoted(), 1000, 1);
  for (int turn = 0; turn < 2; ++turn) {
    for (const Step& step : machine.take_steps())
      machine.answer(step.id, Answer{Outcome::kDone, "", {}}, 1000);
  }
  CHECK(machine.finished());
}

/// Answers by chance.
class Chance {
 public:
  explicit Chance(std::uint32_t seed) : generator_(seed) {}
  std::size_t below(std::size_t end) { return generator_() % end; }

  Answer answer(const Step& step) {
    if (is<Pause>(step)) return {};
    static const std::vector<std::string> kTexts = {
        "", "true", "false", "1", "0", "running tandem listens", "stopped", "monitored"};
    Answer answer{static_cast<Outcome>(below(4)), kTexts[below(kTexts.size())], {}};
    if (is<ReadMemory>(step) && below(20) != 0) answer = {Outcome::kDone, promoted().to_text(), {}};
    const auto* ask = std::get_if<AskServer>(&step.what);
    if (ask != nullptr && below(2) == 0) answer.text = status(*ask);
    if (is<ReadAttribute>(step) && below(2) == 0)
      answer.values = {{"ctl1", "final,5,100,5,100,ctl1"}, {"ctl2", "active,6,1,6,1,ctl2"}};
    return answer;
  }

 private:
  std::minstd_rand generator_;
};

/// An unfinished action that has handed out nothing to be answered would never end.
void drive_by_chance(const Order& order, std::uint32_t seed) {
  Chance chance(seed);
  std::int64_t now_ms = 1000;
  Machine machine(order, promoted(), now_ms, seed);
  std::vector<Step> pending;
  const std::size_t most = chance.below(400);  // then it is destroyed where it is
  for (std::size_t steps = 0; steps < most; ++steps) {
    for (Step& step : machine.take_steps()) pending.push_back(std::move(step));
    if (machine.finished()) return;
    REQUIRE_FALSE(pending.empty());
    const std::size_t next = chance.below(pending.size());
    const Step step = std::move(pending[next]);
    pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(next));
    Answer answer = chance.answer(step);
    now_ms += answer.outcome == Outcome::kSilent ? step.limit_ms
                                                 : static_cast<std::int64_t>(chance.below(300));
    machine.answer(step.id, std::move(answer), now_ms);
  }
}

TEST_CASE("An action that has not finished waits for something, whatever it is answered") {
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    INFO("seed " << seed);
    Order any = order(static_cast<Order::Action>(seed % 8));
    any.before = seed % 3 == 0;
    any.operation = "promote";
    any.promoted = seed % 2 == 0;
    any.interval_ms = 10'000;
    any.promoting = {seed % 5 == 0 ? "ctl2" : "ctl1"};
    any.unpromoted_nodes = {"ctl1", "ctl2"};
    drive_by_chance(any, seed);
  }
}

}  // namespace
}  // namespace tandem::agent
