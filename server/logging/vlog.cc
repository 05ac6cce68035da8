#include "server/logging/vlog.h"

#include <unistd.h>

#include "server/logging/logger.h"

namespace tandem::log {

Module::Module(const char* name) : state_(&Logger::instance().module(name)) {}

bool Module::enabled(Level level) const noexcept {
  return state_->highest.load(std::memory_order_relaxed) >= level;
}

bool Module::rate_limited() const noexcept {
  return state_->rate_limited.load(std::memory_order_relaxed);
}

void Module::write(Level level, std::string_view message) {
  Logger::instance().write(*state_, level, message);
}

namespace {

Module logger("vlog");

}  // namespace

Problem apply_spec(std::string_view spec) { return Logger::instance().apply(spec); }

Problem open_file(const std::string& path) { return Logger::instance().open_file(path); }

Problem reopen_file() { return Logger::instance().reopen_file(); }

void close_file() { Logger::instance().close_file(); }

void give_file_to(unsigned uid, unsigned gid) {
  if (file_descriptor() >= 0 && ::fchown(file_descriptor(), uid, gid) != 0) {
    logger.warn("cannot change the owner of the log file");
  }
}

int file_descriptor() noexcept { return Logger::instance().file_descriptor(); }

Problem set_syslog_method(std::string_view method) {
  auto sink = make_syslog_sink(method);
  if (!sink) return fmt::format("unsupported syslog method '{}'", method);
  Logger::instance().set_syslog(std::move(sink));
  return std::nullopt;
}

Problem set_syslog_target(std::string_view address) {
  logger.warn("--syslog-target flag is deprecated, use --syslog-method instead");
  auto sink = make_syslog_target(address);
  if (!sink) return fmt::format("{}: cannot be used as a syslog target", address);
  Logger::instance().set_syslog_target(std::move(sink));
  return std::nullopt;
}

void set_levels(Destination destination, Level level) {
  Logger::instance().set_levels(destination, level);
}

void set_subprogram(std::string name) { Logger::instance().set_subprogram(std::move(name)); }

Problem set_rate_limiting(const std::vector<std::string>& modules, bool enabled) {
  if (modules.empty()) return Logger::instance().set_rate_limiting("any", enabled);
  for (const std::string& module : modules) {
    if (auto problem = Logger::instance().set_rate_limiting(module, enabled)) return problem;
  }
  return std::nullopt;
}

std::string list_levels() { return Logger::instance().list_levels(); }

std::string list_patterns() { return Logger::instance().list_patterns(); }

}  // namespace tandem::log
