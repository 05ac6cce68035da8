#pragma once

#include <fmt/core.h>

#include <string>
#include <string_view>

/// Logging as every Open vSwitch daemon does it (ovs-appctl(8), ovsdb-server(1)): modules, levels,
/// three destinations. Thread-safe. What the destinations are and how lines look is vlog.h; this
/// header is all that code that logs needs.
namespace tandem::log {

struct ModuleState;

enum class Level { kOff, kEmer, kErr, kWarn, kInfo, kDbg };

/// A named source of log lines, e.g. "jsonrpc". Define one at namespace scope in a .cc file; it
/// registers itself and lives for the whole process. Several modules may share a name.
class Module {
 public:
  explicit Module(const char* name);
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// True if a line of this level would reach some destination now. One relaxed load.
  bool enabled(Level level) const noexcept;
  /// False after vlog/disable-rate-limit; RateLimit (rate_limit.h) then lets every line through.
  bool rate_limited() const noexcept;
  /// Writes one line to the destinations that take it. What would be no single line of text is
  /// escaped, and a message longer than a few kilobytes is cut, but for those at DBG.
  void write(Level level, std::string_view message);
  /// Writes each line of a text of the server's own.
  void write_lines(Level level, std::string_view text);

  template <class... Args>
  void err(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::kErr, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::kWarn, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::kInfo, format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void dbg(fmt::format_string<Args...> format, Args&&... args) {
    print(Level::kDbg, format, std::forward<Args>(args)...);
  }

 private:
  template <class... Args>
  void print(Level level, fmt::format_string<Args...> format, Args&&... args) {
    if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
  }

  ModuleState* state_;
};

}  // namespace tandem::log
