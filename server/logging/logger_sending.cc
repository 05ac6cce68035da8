// Writing: the lines of a logger, and what becomes of them. A thread that logs waits for nobody who
// reads a log: what a destination does not take at once is lost, counted and told of later.

#include <syslog.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "server/logging/logger.h"
#include "server/logging/pattern.h"
#include "server/logging/printable.h"

namespace tandem::log {

namespace {

constexpr std::string_view kProgram = "ovsdb-server";
constexpr int kDefaultFacility =
    LOG_LOCAL0 >> 3;  ///< for %B; the C library's syslog has a default of its own

/// Bytes of a message. At DBG, where messages are there to be compared, all of them.
constexpr std::size_t kMostOfMessage = std::size_t{4} * 1024;
/// Warnings of a start: what follows so many tells no more.
constexpr std::size_t kMostKept = 20;

EventCount console_lost("vlog_console_lost");
EventCount syslog_lost("vlog_syslog_lost");
EventCount file_lost("vlog_file_lost");

}  // namespace

Logger::Losses Logger::make_losses() {
  return {LostLines("the console", console_lost), LostLines("syslog", syslog_lost),
          LostLines("the log file", file_lost)};
}

void Logger::write(const ModuleState& module, Level level, std::string_view message) {
  while (message.ends_with('\n')) message.remove_suffix(1);
  // Messages quote what peers, files and users say: none may look like two, or rule the terminal.
  const std::string text =
      printable(message, level == Level::kDbg ? message.size() : kMostOfMessage);
  std::vector<std::string> news;
  {
    const MutexLock lock(mutex_);
    keep_locked(module, level, text);
    write_locked(module, level, text);
    news.swap(news_);
  }
  for (const std::string& told : news) note(Level::kWarn, told);
}

void Logger::note(Level level, const std::string& message) {
  ModuleState& vlog = module("vlog");
  write(vlog, level, message);
}

void Logger::keep_locked(const ModuleState& module, Level level, std::string_view message) {
  const Level shown = module.levels[static_cast<std::size_t>(Destination::kConsole)];
  if (kept_ && level <= Level::kWarn && level > shown && kept_->size() < kMostKept)
    kept_->emplace_back(message);
}

void Logger::write_locked(const ModuleState& module, Level level, std::string_view message) {
  const int saved_errno = errno;
  Line line;
  line.program = kProgram;
  line.host = host_;
  line.subprogram = subprogram_;
  line.module = module.name;
  line.level = level;
  line.facility = facility_ != 0 ? facility_ : kDefaultFacility;
  line.sequence = ++sequence_;
  line.pid = ::getpid();
  const auto uptime = std::chrono::steady_clock::now() - start_;
  line.uptime_ms = std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count();
  ::clock_gettime(CLOCK_REALTIME, &line.time);
  line.message = message;
  for (std::size_t i = 0; i < kDestinations; ++i) {
    const auto destination = static_cast<Destination>(i);
    if (module.levels[i] >= level && in_use_locked(destination)) send_locked(destination, line);
  }
  errno = saved_errno;
}

void Logger::send_locked(Destination destination, const Line& line) {
  switch (destination) {
    case Destination::kConsole:
      return write_to_console_locked(line);
    case Destination::kFile:
      return write_to_file_locked(line);
    case Destination::kSyslog:
      send_to_syslog_locked(*syslog_, line);
      if (syslog_target_) send_to_syslog_locked(*syslog_target_, line);
      return;
  }
}

void Logger::write_to_console_locked(const Line& line) {
  std::string text;
  append_line(text, patterns_[static_cast<std::size_t>(Destination::kConsole)], line);
  text += '\n';
  record_locked(Destination::kConsole, console_.put(STDERR_FILENO, text), line);
}

void Logger::write_to_file_locked(const Line& line) {
  std::string text;
  append_line(text, patterns_[static_cast<std::size_t>(Destination::kFile)], line);
  text += '\n';
  const unsigned lost = file_writer_.write(file_, std::move(text));
  for (unsigned i = 0; i < lost; ++i) record_locked(Destination::kFile, Sent::kLost, line);
  if (lost == 0) record_locked(Destination::kFile, Sent::kYes, line);
}

void Logger::send_to_syslog_locked(SyslogSink& sink, const Line& line) {
  std::string prefix;
  append_line(prefix, sink.prefix(), line);
  std::string text;
  append_line(text, patterns_[static_cast<std::size_t>(Destination::kSyslog)], line);
  const Sent sent = sink.send(facility_, syslog_severity(line.level), prefix, text);
  record_locked(Destination::kSyslog, sent, line);
}

void Logger::record_locked(Destination destination, Sent sent, const Line& line) {
  LostLines& losses = losses_[static_cast<std::size_t>(destination)];
  switch (sent) {
    case Sent::kYes:
      if (auto told = losses.taken(line.uptime_ms)) news_.push_back(std::move(*told));
      break;
    case Sent::kLost:
      losses.lost(line.uptime_ms);
      break;
    case Sent::kNobody:
      break;
  }
}

}  // namespace tandem::log
