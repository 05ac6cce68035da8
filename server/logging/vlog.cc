#include "server/logging/vlog.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

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

void Module::write_lines(Level level, std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    write(level, text.substr(at, end - at));
    at = end + 1;
  }
}

namespace {

Module logger("vlog");

}  // namespace

Problem apply_spec(std::string_view spec) { return Logger::instance().apply(spec); }

Problem open_file(const std::string& path, Links links) {
  return Logger::instance().open_file(path, links);
}

Problem reopen_file() { return Logger::instance().reopen_file(); }

FileHealth file_health() { return Logger::instance().file_health(); }

Problem close_file() { return Logger::instance().close_file(); }

void give_file_to(unsigned uid, unsigned gid) {
  if (file_descriptor() >= 0 && ::fchown(file_descriptor(), uid, gid) != 0) {
    logger.warn("cannot change the owner of the log file");
  }
}

void start_file_threads() { Logger::instance().start_file_threads(); }

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

void keep_warnings() { Logger::instance().keep_warnings(); }

std::vector<std::string> take_kept_warnings() { return Logger::instance().take_kept_warnings(); }

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
