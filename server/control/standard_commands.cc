#include "server/control/standard_commands.h"

#include <optional>

#include "server/control/version.h"
#include "server/logging/log.h"
#include "server/logging/vlog.h"

namespace tandem::control {

namespace {

log::Module logger("vlog");

void answer(const Reply& reply, const log::Problem& problem) {
  if (problem) {
    reply.error(*problem);
  } else {
    reply.done();
  }
}

void set_levels(const Arguments& arguments, const Reply& reply) {
  log::Problem problem;
  if (arguments.empty()) problem = log::apply_spec("");
  for (const std::string& spec : arguments) {
    if (!problem) problem = log::apply_spec(spec);
  }
  answer(reply, problem);
}

/// The level is INFO if the first argument is none, or the only one.
void log_message(const Arguments& arguments, const Reply& reply) {
  std::optional<log::Level> level = log::parse_level(arguments.front());
  if (arguments.size() == 1 || level == log::Level::kOff) level.reset();
  std::string message;
  for (std::size_t i = level ? 1 : 0; i < arguments.size(); ++i)
    message += (message.empty() ? "" : " ") + arguments[i];
  logger.write(level.value_or(log::Level::kInfo), message);
  reply.done();
}

void add_vlog_commands(CommandRegistry& registry) {
  registry.add("vlog/set", "{spec | PATTERN:destination:pattern}", 0, CommandRegistry::kAnyNumber,
               set_levels);
  registry.add("vlog/list", "", 0, 0,
               [](const Arguments&, const Reply& reply) { reply.text(log::list_levels()); });
  registry.add("vlog/list-pattern", "", 0, 0,
               [](const Arguments&, const Reply& reply) { reply.text(log::list_patterns()); });
  registry.add("vlog/enable-rate-limit", "[module]...", 0, CommandRegistry::kAnyNumber,
               [](const Arguments& arguments, const Reply& reply) {
                 answer(reply, log::set_rate_limiting(arguments, true));
               });
  registry.add("vlog/disable-rate-limit", "[module]...", 0, CommandRegistry::kAnyNumber,
               [](const Arguments& arguments, const Reply& reply) {
                 answer(reply, log::set_rate_limiting(arguments, false));
               });
  registry.add("vlog/message", "[level] message...", 1, CommandRegistry::kAnyNumber, log_message);
  registry.add("vlog/reopen", "", 0, 0,
               [](const Arguments&, const Reply& reply) { answer(reply, log::reopen_file()); });
  registry.add("vlog/close", "", 0, 0,
               [](const Arguments&, const Reply& reply) { answer(reply, log::close_file()); });
}

void set_options(const Arguments& arguments, const Reply& reply) {
  std::string format = "text";
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    constexpr std::string_view kFormat = "--format";
    const std::string& word = arguments[i];
    if (word == kFormat && i + 1 < arguments.size()) {
      format = arguments[++i];
    } else if (word.starts_with("--format=")) {
      format = word.substr(kFormat.size() + 1);
    } else {
      reply.error("unknown option \"" + word + '"');
      return;
    }
  }
  if (format != "text" && format != "json") {
    reply.error("option format has invalid value " + format);
    return;
  }
  reply.set_json(format == "json");
  reply.done();
}

void add_coverage_commands(CommandRegistry& registry, const EventRates& events) {
  registry.add("coverage/show", "", 0, 0,
               [&events](const Arguments&, const Reply& reply) { reply.text(events.show()); });
  registry.add("coverage/read-counter", "COUNTER", 1, 1,
               [&events](const Arguments& arguments, const Reply& reply) {
                 if (const auto total = events.total(arguments[0])) {
                   reply.text(std::to_string(*total) + '\n');
                 } else {
                   reply.error("No such counter");
                 }
               });
}

}  // namespace

void add_standard_commands(CommandRegistry& registry, const EventRates& events,
                           std::function<void()> on_exit) {
  registry.add("version", "", 0, 0,
               [](const Arguments&, const Reply& reply) { reply.text(std::string(kVersionText)); });
  registry.add("exit", "", 0, 0,
               [on_exit = std::move(on_exit)](const Arguments&, const Reply& reply) {
                 reply.done();
                 on_exit();
               });
  registry.add("set-options", "[--format text|json]", 0, CommandRegistry::kAnyNumber, set_options);
  add_vlog_commands(registry);
  add_coverage_commands(registry, events);
}

}  // namespace tandem::control
