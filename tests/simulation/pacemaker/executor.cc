#include "tests/simulation/pacemaker/executor.h"

namespace tandem::simulation::pacemaker {
namespace {

Ocf expected(Operation operation) {
  return operation == Operation::kMonitorPromoted ? Ocf::kRunningPromoted : Ocf::kSuccess;
}

/// The role after an action that succeeded.
std::optional<History::Role> role_after(Operation operation) {
  switch (operation) {
    case Operation::kStart:
    case Operation::kDemote:
      return History::Role::kUnpromoted;
    case Operation::kStop:
      return History::Role::kStopped;
    case Operation::kPromote:
      return History::Role::kPromoted;
    case Operation::kProbe:
    case Operation::kMonitor:
    case Operation::kMonitorPromoted:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void Executor::run(Request request, std::optional<Operation> operation, Done done) {
  jobs_.push_back({std::move(request), operation, std::move(done)});
  next();
}

void Executor::next() {
  if (busy_ || jobs_.empty()) return;
  busy_ = true;
  begun_ = false;
  const std::uint64_t number = ++number_;
  const Request& request = jobs_.front().request;
  const bool notifies = request.action == Request::Action::kNotify;
  const std::weak_ptr<int> alive(alive_);
  world_.after(request.timeout_ms, [this, alive, number] {
    if (!alive.expired()) end(number, Ocf::kError, true);
  });
  began_ms_ = world_.now_ms();
  if (notifies && world_.chance(faults_.killed_notifications)) return;
  const std::int64_t delay =
      notifies && world_.chance(faults_.late_notifications) ? world_.ms(5000) : 1 + world_.ms(10);
  world_.after(delay, [this, alive, number] {
    if (alive.expired() || number != number_ || !busy_) return;
    begun_ = true;
    agent_.begin(jobs_.front().request, [this, alive, number](Ocf code) {
      if (!alive.expired()) end(number, code, false);
    });
  });
}

void Executor::end(std::uint64_t number, Ocf code, bool killed) {
  if (number != number_ || !busy_) return;
  busy_ = false;
  longest_ms_ = std::max(longest_ms_, world_.now_ms() - began_ms_);
  if (killed) agent_.kill();
  if (killed && begun_) ++killed_;
  const Job job = std::move(jobs_.front());
  jobs_.pop_front();
  if (job.operation) note(job, code);
  job.done(code);
  next();
}

void Executor::fail() {
  if (!history_.is_active()) return;
  const bool promoted = history_.role == History::Role::kPromoted;
  history_.failure =
      Failure{promoted ? Operation::kMonitorPromoted : Operation::kMonitor, Ocf::kError};
  history_.fail_count = history_.fail_count + Score{1};
  changed_();
}

void Executor::note(const Job& job, Ocf code) {
  const Operation operation = *job.operation;
  if (operation == Operation::kProbe) return note_probe(code);
  if (code != expected(operation)) {
    history_.failure = Failure{operation, code};
    history_.fail_count =
        operation == Operation::kStart ? Score{Score::kInfinity} : history_.fail_count + Score{1};
    return;
  }
  const auto role = role_after(operation);
  if (!role) return;
  if (*role != history_.role) cancel_monitor();
  history_.role = *role;
  history_.failure.reset();
}

/// A resource that a probe finds failed is known to run, and is recovered.
void Executor::note_probe(Ocf code) {
  cancel_monitor();
  history_ = {};
  if (code == Ocf::kNotRunning) {
    history_.role = History::Role::kStopped;
  } else if (code == Ocf::kRunningPromoted || code == Ocf::kFailedPromoted) {
    history_.role = History::Role::kPromoted;
    if (code == Ocf::kFailedPromoted) history_.failure = Failure{Operation::kMonitorPromoted, code};
  } else {
    history_.role = History::Role::kUnpromoted;
    if (code != Ocf::kSuccess) history_.failure = Failure{Operation::kMonitor, code};
  }
}

void Executor::monitor(bool promoted) {
  history_.monitored = true;
  repeat(promoted, ++monitors_);
}

void Executor::repeat(bool promoted, std::uint64_t number) {
  Request request;
  request.interval_ms = promoted ? 15'000 : 10'000;
  request.promoted = promoted;
  const Operation operation = promoted ? Operation::kMonitorPromoted : Operation::kMonitor;
  const bool had_failed = history_.failure.has_value();
  run(request, operation, [this, promoted, number, had_failed](Ocf) {
    if (number != monitors_) return;
    if (!had_failed && history_.failure) changed_();
    world_.after(promoted ? 15'000 : 10'000,
                 [this, alive = std::weak_ptr(alive_), promoted, number] {
                   if (!alive.expired() && number == monitors_) repeat(promoted, number);
                 });
  });
}

}  // namespace tandem::simulation::pacemaker
