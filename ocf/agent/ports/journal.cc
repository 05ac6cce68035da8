#include "ocf/agent/ports/journal.h"

#include <fmt/core.h>
#include <syslog.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace tandem::agent {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32] = "";
  std::strftime(text, sizeof text, "%b %d %T", &local);
  return text;
}

}  // namespace

/// Nobody may be there to read it.
void Journal::say(const std::string& text) const {
  if (on_stderr_) (void)!::write(STDERR_FILENO, text.data(), text.size());
}

void Journal::log(const char* priority, int syslog_priority, const std::string& text) {
  const std::string tag = fmt::format("ovndb-servers({})[{}]", instance_, ::getpid());
  const std::string facility = variable("HA_LOGFACILITY");
  const bool to_syslog = !facility.empty() && facility != "none";
  if (to_syslog) {
    ::openlog(tag.c_str(), 0, LOG_DAEMON);
    ::syslog(syslog_priority, "%s: %s", priority, text.c_str());
  }
  const std::string file = variable("HA_LOGFILE");
  if (!file.empty()) {
    std::ofstream out(file, std::ios::app);
    out << fmt::format("{}:\t{} {}: {}\n", tag, date(), priority, text);
  }
  if (!to_syslog && file.empty()) say(fmt::format("{}: {}: {}\n", tag, priority, text));
}

void Journal::write(const Note& note) {
  switch (note.level) {
    case Note::Level::kInfo:
      return log("INFO", LOG_INFO, note.text);
    case Note::Level::kWarning:
      return log("WARNING", LOG_WARNING, note.text);
    case Note::Level::kReason:
      say(fmt::format("ocf-exit-reason:{}\n", note.text));
      return log("ERROR", LOG_ERR, note.text);
  }
}

}  // namespace tandem::agent
