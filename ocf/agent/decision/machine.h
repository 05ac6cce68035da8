#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ocf/agent/decision/memory.h"
#include "ocf/agent/decision/order.h"
#include "ocf/agent/decision/step.h"

namespace tandem::agent {

/// One action of the agent, decided: the order and the memory go in, steps come out, their answers
/// go in, until there is an exit code and nothing more to do. No I/O, no clock, no chance: `now_ms`
/// (milliseconds since the machine started) and `seed` are handed in. So a simulation drives the
/// same code as the program. One thread.
///
///     Machine machine(order, memory, now, seed);
///     while (!machine.finished()) {
///       for (Step& step : machine.take_steps()) begin(step);
///       // wait for the first to end
///       machine.answer(id, answer, now);
///     }
///
/// exit_code() may be set before finished(): Pacemaker is told, and the work goes on meanwhile.
/// Destroying a machine is what a kill of its process is; then memory() has what was kept so far.
class Machine {
 public:
  Machine(Order order, Memory memory, std::int64_t now_ms, std::uint64_t seed);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// The steps that have become due, to be taken at the same time.
  std::vector<Step> take_steps();
  /// The lines for the log, in order.
  std::vector<Note> take_notes();
  void answer(std::uint64_t id, Answer answer, std::int64_t now_ms);

  /// The answer to Pacemaker, once it is known.
  std::optional<Exit> exit_code() const;
  bool finished() const;
  /// To be kept for the next action, also when this one is killed.
  const Memory& memory() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tandem::agent
