#include "server/control/command_registry.h"

#include <fmt/core.h>

namespace tandem::control {

Error command_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

CommandRegistry::CommandRegistry() {
  add("list-commands", "", 0, 0,
      [this](const Arguments&, const Reply& reply) { reply.text(list()); });
}

void CommandRegistry::add(std::string name, std::string usage, std::size_t min_arguments,
                          std::size_t max_arguments, Handler handler) {
  commands_.insert_or_assign(
      std::move(name), Command{std::move(usage), min_arguments, max_arguments, std::move(handler)});
}

void CommandRegistry::run(const std::string& name, const Arguments& arguments,
                          const Reply& reply) const {
  const auto found = commands_.find(name);
  if (found == commands_.end()) {
    reply.error(fmt::format(
        "\"{}\" is not a valid command (use \"list-commands\" to see a list of valid commands)",
        name));
    return;
  }
  const Command& command = found->second;
  if (arguments.size() < command.min_arguments) {
    reply.error(
        fmt::format("\"{}\" command requires at least {} arguments", name, command.min_arguments));
  } else if (arguments.size() > command.max_arguments) {
    reply.error(
        fmt::format("\"{}\" command takes at most {} arguments", name, command.max_arguments));
  } else {
    command.handler(arguments, reply);
  }
}

std::string CommandRegistry::list() const {
  std::string out = "The available commands are:\n";
  for (const auto& [name, command] : commands_) {
    out += fmt::format("  {:<23} {}\n", name, command.usage);
  }
  return out;
}

}  // namespace tandem::control
