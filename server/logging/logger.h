#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/logging/file_writer.h"
#include "server/logging/level.h"
#include "server/logging/lost_lines.h"
#include "server/logging/spec.h"
#include "server/logging/syslog_sink.h"
#include "server/logging/vlog.h"
#include "server/posix/disk_thread.h"
#include "server/posix/mutex.h"

namespace tandem::log {

struct Line;

/// What all Module objects of one name share. Made once, never destroyed. `levels` is under the
/// logger's lock; threads that log look at the atomics.
struct ModuleState {
  std::string name;
  std::array<Level, kDestinations> levels{Level::kInfo, Level::kInfo, Level::kInfo};
  std::atomic<Level> highest{Level::kInfo};  ///< of the destinations that are in use
  std::atomic<bool> rate_limited{true};
};

/// The process's log: modules, destinations, line counter. There is one, made at the first use and
/// never destroyed, so that static objects may log to the very end. Thread-safe: every public
/// function takes the lock. A private one whose name ends in _locked requires it.
class Logger {
 public:
  static Logger& instance();

  ModuleState& module(std::string_view name);
  void write(const ModuleState& module, Level level, std::string_view message);

  Problem apply(std::string_view spec);
  void set_levels(Destination destination, Level level);
  Problem set_rate_limiting(std::string_view module, bool enabled);

  Problem open_file(const std::string& path, Links links);
  Problem reopen_file();
  Problem close_file();
  FileHealth file_health();
  /// See FileWriter::start_thread() and DiskThread.
  void start_file_threads();
  int file_descriptor() const noexcept { return file_fd_.load(); }

  void set_syslog(std::unique_ptr<SyslogSink> sink);
  void set_syslog_target(std::unique_ptr<SyslogSink> sink);
  void set_subprogram(std::string name);

  void keep_warnings();
  std::vector<std::string> take_kept_warnings();

  std::string list_levels();
  std::string list_patterns();

 private:
  struct LessIgnoringCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const;
  };

  using Losses = std::array<LostLines, kDestinations>;

  Logger();
  static Losses make_losses();
  ModuleState& module_locked(std::string_view name) REQUIRES(mutex_);
  bool in_use_locked(Destination destination) const REQUIRES(mutex_);
  void update_highest_locked(ModuleState& module) const REQUIRES(mutex_);
  void update_all_locked() REQUIRES(mutex_);
  void apply_levels_locked(const LevelSpec& spec) REQUIRES(mutex_);
  void apply_pattern_locked(const PatternSpec& spec) REQUIRES(mutex_);
  void write_locked(const ModuleState& module, Level level, std::string_view message)
      REQUIRES(mutex_);
  void keep_locked(const ModuleState& module, Level level, std::string_view message)
      REQUIRES(mutex_);
  void send_locked(Destination destination, const Line& line) REQUIRES(mutex_);
  void write_to_console_locked(const Line& line) REQUIRES(mutex_);
  void write_to_file_locked(const Line& line) REQUIRES(mutex_);
  void send_to_syslog_locked(SyslogSink& sink, const Line& line) REQUIRES(mutex_);
  void record_locked(Destination destination, Sent sent, const Line& line) REQUIRES(mutex_);
  /// Changes which file is open, after the change that is under way and instead of any other.
  /// Returns how that went, once it has.
  Problem change_file(std::function<int()> change);
  void change_now();
  // The changes; 0 or an errno.
  int open_now(const std::string& path, Links links);
  int close_now();
  bool is_open_file(const std::string& path) const;
  /// Requires nothing: for lines about the log itself, between locked sections.
  void note(Level level, const std::string& message);

  Mutex mutex_;
  std::map<std::string, std::unique_ptr<ModuleState>, LessIgnoringCase> modules_ GUARDED_BY(mutex_);
  std::array<std::string, kDestinations> patterns_ GUARDED_BY(mutex_);
  int facility_ GUARDED_BY(mutex_) = 0;  ///< 0: not set
  std::unique_ptr<SyslogSink> syslog_ GUARDED_BY(mutex_);
  std::unique_ptr<SyslogSink> syslog_target_ GUARDED_BY(mutex_);
  std::string file_path_ GUARDED_BY(mutex_);  ///< of the file that is open, or was last
  int open_error_ GUARDED_BY(mutex_) = 0;     ///< errno: why it is not open
  FileRef file_ GUARDED_BY(mutex_);           ///< null: none is open
  std::atomic<int> file_fd_{-1};              ///< of it
  LineOutput console_ GUARDED_BY(mutex_);
  FileWriter file_writer_;
  DiskThread file_opener_;
  std::atomic<int> changes_{0};  ///< jobs for them
  std::function<void()> change_
      GUARDED_BY(mutex_);  ///< that was asked for last; empty: it is under way or done
  std::optional<std::vector<std::string>> kept_ GUARDED_BY(mutex_);  ///< warnings of the start
  std::string subprogram_ GUARDED_BY(mutex_);
  std::string host_ GUARDED_BY(mutex_);
  unsigned sequence_ GUARDED_BY(mutex_) = 0;
  Losses losses_ GUARDED_BY(mutex_) = make_losses();
  std::vector<std::string> news_ GUARDED_BY(mutex_);  ///< of lost lines, to be logged
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace tandem::log
