#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace tandem {

/// Work to do once: a call without arguments that may own things that cannot be copied
/// (std::function wants copies).
class Task {
 public:
  Task() = default;
  // Implicit, and never taken for a copy or a move: clang-tidy 14 does not read the constraint.
  template <class F>
  requires(!std::is_same_v<std::decay_t<F>, Task>)
      Task(F&& f)  // NOLINT(bugprone-forwarding-reference-overload)
      : call_(std::make_unique<Call<std::decay_t<F>>>(std::forward<F>(f))) {}

  explicit operator bool() const { return call_ != nullptr; }
  void operator()() { call_->run(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct Call final : Base {
    explicit Call(F f) : f_(std::move(f)) {}
    void run() override { f_(); }
    F f_;
  };
  std::unique_ptr<Base> call_;
};

/// A thread that runs tasks in the order in which they were posted: an Asio io_context, or a
/// simulation.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;
  /// Thread-safe. Never runs the task before it returns.
  virtual void post(Task task) = 0;
  /// The same for a task that may be blocked, by a disk that hangs: the runner may go on with
  /// another thread then, until the task calls take_back(). Meanwhile it touches nothing that is
  /// the runner's own.
  virtual void post_lent(Task task) { post(std::move(task)); }
  /// Ends that. False if the runner has gone on: this thread is not its own any more.
  virtual bool take_back() { return true; }
  /// True on the runner's own thread.
  virtual bool is_current() const = 0;
};

}  // namespace tandem
