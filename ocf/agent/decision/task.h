#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

namespace tandem::agent {

/// A part of an action that may wait for answers, written as a coroutine: it runs when it is
/// awaited, and goes on where it was when the answer comes. One thread; destroying it ends it where
/// it waits. GCC 12 miscompiles co_await within && and || and within ?: so it stands in a statement
/// of its own.
template <class T = void>
class [[nodiscard]] Task;

namespace detail {

struct PromiseBase {
  std::coroutine_handle<> waiter = std::noop_coroutine();

  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      return self.promise().waiter;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value = std::move(result); }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  /// Runs the outermost task, which nobody awaits, until it waits for the first time.
  void start() { handle_.resume(); }
  bool done() const { return !handle_ || handle_.done(); }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) noexcept {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

/// Runs one task of several, and goes on with their waiter when it is the last to end.
struct Runner {
  struct promise_type {
    std::size_t* left = nullptr;
    std::coroutine_handle<>* waiter = nullptr;

    struct Final {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        const promise_type& promise = self.promise();
        return --*promise.left == 0 ? *promise.waiter
                                    : std::coroutine_handle<>(std::noop_coroutine());
      }
      void await_resume() noexcept {}
    };
    Runner get_return_object() {
      return Runner{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

inline Runner run(Task<void> task) { co_await task; }

}  // namespace detail

/// Awaits a task, and puts there what it returns: for tasks that run at the same time.
template <class T>
Task<> into(Task<T> task, T* result) {
  *result = co_await task;
}

/// Awaits several tasks that run at the same time.
class Join {
 public:
  explicit Join(std::vector<Task<void>> tasks) : tasks_(std::move(tasks)) {}
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;
  ~Join() {
    for (const detail::Runner& runner : runners_) runner.handle.destroy();
  }

  bool await_ready() const { return tasks_.empty(); }
  bool await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    runners_.reserve(tasks_.size());
    left_ = tasks_.size() + 1;  // one more, so that none goes on from here
    for (Task<void>& task : tasks_) {
      const detail::Runner runner = detail::run(std::move(task));
      runner.handle.promise().left = &left_;
      runner.handle.promise().waiter = &waiter_;
      runners_.push_back(runner);
    }
    const std::vector<detail::Runner> runners = runners_;
    for (const detail::Runner& runner : runners) runner.handle.resume();
    return --left_ != 0;
  }
  void await_resume() {}

 private:
  std::vector<Task<void>> tasks_;
  std::vector<detail::Runner> runners_;
  std::size_t left_ = 0;
  std::coroutine_handle<> waiter_;
};

}  // namespace tandem::agent
