#pragma once

#include <string>

#include "ocf/agent/decision/step.h"

namespace tandem::agent {

/// The log, as ocf_log and ocf_exit_reason write it: to the file or the facility that Pacemaker
/// names, else to stderr, which it logs.
class Journal {
 public:
  explicit Journal(std::string instance) : instance_(std::move(instance)) {}

  void write(const Note& note);
  /// Nobody reads stderr any more.
  void leave_terminal() { on_stderr_ = false; }

 private:
  void say(const std::string& text) const;
  void log(const char* priority, int syslog_priority, const std::string& text);

  std::string instance_;
  bool on_stderr_ = true;
};

}  // namespace tandem::agent
