#pragma once

#include <coroutine>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ocf/agent/decision/memory.h"
#include "ocf/agent/decision/order.h"
#include "ocf/agent/decision/step.h"
#include "ocf/agent/decision/task.h"

namespace tandem::agent {

/// Where the parts of an action hand out steps and wait for their answers. It knows the order, the
/// memory and the deadline: a step's limit never goes beyond that, and what is asked later is
/// answered with silence. One thread; outlives the tasks.
class Desk {
 public:
  Desk(Order order, Memory memory, std::int64_t now_ms)
      : order(std::move(order)),
        memory(std::move(memory)),
        now_ms_(now_ms),
        deadline_ms_(now_ms + this->order.budget_ms()) {}

  const Order order;
  Memory memory;

  const Settings& settings() const { return order.settings; }
  std::int64_t now_ms() const { return now_ms_; }
  std::int64_t left_ms() const { return deadline_ms_ - now_ms_; }

  class Ask {
   public:
    Ask(Desk& desk, Step::What what, std::int64_t limit_ms)
        : desk_(desk), what_(std::move(what)), limit_ms_(limit_ms) {}
    bool await_ready() const { return limit_ms_ <= 0; }
    void await_suspend(std::coroutine_handle<> waiter);
    Answer await_resume() { return std::move(answer_); }

   private:
    friend class Desk;
    Desk& desk_;
    Step::What what_;
    std::int64_t limit_ms_;
    Answer answer_;
    std::coroutine_handle<> waiter_;
  };

  /// Awaits the answer to a step.
  Ask ask(Step::What what, std::int64_t limit_ms) {
    return Ask(*this, std::move(what), std::min(limit_ms, left_ms()));
  }
  /// The same for what must be done also when the time is up, such as killing a hung server.
  Ask insist(Step::What what, std::int64_t limit_ms) {
    return Ask(*this, std::move(what), limit_ms);
  }

  void info(std::string text) { notes_.push_back({Note::Level::kInfo, std::move(text)}); }
  void warn(std::string text) { notes_.push_back({Note::Level::kWarning, std::move(text)}); }
  void reason(std::string text) { notes_.push_back({Note::Level::kReason, std::move(text)}); }

  /// Tells Pacemaker the outcome. What comes after goes on without it, for so long.
  void tell(Exit exit, std::int64_t more_ms = 20'000) {
    exit_ = exit;
    deadline_ms_ = now_ms_ + more_ms;
  }
  /// The keeper has no deadline: each of its rounds has one.
  void extend(std::int64_t ms) { deadline_ms_ = now_ms_ + ms; }

  // --- for the Machine ---

  std::vector<Step> take_steps() { return std::exchange(steps_, {}); }
  std::vector<Note> take_notes() { return std::exchange(notes_, {}); }
  void answer(std::uint64_t id, Answer answer, std::int64_t now_ms);
  std::optional<Exit> exit() const { return exit_; }

 private:
  std::int64_t now_ms_;
  std::int64_t deadline_ms_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Ask*> pending_;
  std::vector<Step> steps_;
  std::vector<Note> notes_;
  std::optional<Exit> exit_;
};

/// Awaits what `task_of` makes for each of the two databases, at the same time.
template <class TaskOf>
Join for_both(TaskOf task_of) {
  std::vector<Task<>> both;
  both.reserve(kBoth.size());
  for (const Which which : kBoth) both.push_back(task_of(which));
  return Join(std::move(both));
}

}  // namespace tandem::agent
