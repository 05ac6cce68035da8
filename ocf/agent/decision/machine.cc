#include "ocf/agent/decision/machine.h"

#include <utility>

#include "ocf/agent/decision/actions.h"

namespace tandem::agent {

struct Machine::Parts {
  Parts(Order order, Memory memory, std::int64_t now_ms, std::uint64_t seed)
      : desk(std::move(order), std::move(memory), now_ms),
        actions(desk, seed),
        task(actions.run()) {
    task.start();
  }

  Desk desk;
  Actions actions;
  Task<> task;
};

Machine::Machine(Order order, Memory memory, std::int64_t now_ms, std::uint64_t seed)
    : parts_(std::make_unique<Parts>(std::move(order), std::move(memory), now_ms, seed)) {}

Machine::~Machine() = default;

std::vector<Step> Machine::take_steps() { return parts_->desk.take_steps(); }

std::vector<Note> Machine::take_notes() { return parts_->desk.take_notes(); }

void Machine::answer(std::uint64_t id, Answer answer, std::int64_t now_ms) {
  parts_->desk.answer(id, std::move(answer), now_ms);
}

std::optional<Exit> Machine::exit_code() const { return parts_->desk.exit(); }

bool Machine::finished() const { return parts_->task.done(); }

const Memory& Machine::memory() const { return parts_->desk.memory; }

}  // namespace tandem::agent
