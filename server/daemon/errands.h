#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "protocol/error.h"
#include "server/base/task.h"

namespace tandem {

/// The answer to a control command whose job nobody could begin.
Error server_is_busy();

/// Jobs that the home thread has done on the writer, or on another thread that may be busy for long
/// or blocked by a disk. Home never waits for them: it is told the outcome, and goes on serving
/// others meanwhile. All calls come from home. Its owner must outlive home's last task.
class Errands {
 public:
  /// Hands a job to whoever is to run it; returns at once.
  using HandIn = std::function<void(Task)>;
  /// Runs a task on home after that time.
  using CallLater = std::function<void(std::int64_t delay_ms, std::function<void()> task)>;

  /// How long a job waits for its turn before home gives it up.
  static constexpr std::int64_t kPatienceMs = 800;

  Errands(TaskRunner& home, CallLater call_later)
      : home_(home), call_later_(std::move(call_later)) {}

  /// Runs `job`, which returns a Result, where `hand_in` takes it, and then `then` with its outcome
  /// on home. A job that has not begun in time never will: `then` gets server_is_busy(). One that
  /// has begun goes on, however long it takes.
  template <class Job, class Then>
  void run(const HandIn& hand_in, Job job, Then then) {
    const auto errand = hand_over(hand_in, std::move(job), std::move(then));
    call_later_(kPatienceMs, [errand] {
      if (errand->settled.exchange(true)) return;
      errand->job.reset();  // with what it holds, a locked file say
      errand->then(std::invoke_result_t<Job&>(server_is_busy()));
    });
  }

  /// The same without giving up: for the later steps of a change that has begun.
  template <class Job, class Then>
  void finish(const HandIn& hand_in, Job job, Then then) {
    hand_over(hand_in, std::move(job), std::move(then));
  }

 private:
  template <class Job, class Then>
  struct Errand {
    Errand(Job to_do, Then to_tell) : job(std::move(to_do)), then(std::move(to_tell)) {}
    std::optional<Job> job;
    Then then;
    std::atomic<bool> settled = false;  ///< has begun, or is given up
  };

  template <class Job, class Then>
  auto hand_over(const HandIn& hand_in, Job job, Then then) {
    const auto errand = std::make_shared<Errand<Job, Then>>(std::move(job), std::move(then));
    hand_in([&home = home_, errand] {
      if (errand->settled.exchange(true)) return;
      home.post([errand, outcome = (*errand->job)()]() mutable {
        errand->job.reset();
        errand->then(std::move(outcome));
      });
    });
    return errand;
  }

  TaskRunner& home_;
  const CallLater call_later_;
};

}  // namespace tandem
