#include "server/logging/logger.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "server/logging/module_names.h"
#include "server/posix/prompt_write.h"

namespace tandem::log {

namespace {

/// Jobs that change the log file: one that is under way, perhaps on a disk that hangs, and one that
/// does what was asked for last.
constexpr int kMostChanges = 2;

std::unique_ptr<SyslogSink> default_sink() {
  const char* method = std::getenv("OVS_SYSLOG_METHOD");
  auto sink = make_syslog_sink(method != nullptr && *method != '\0' ? method : "libc");
  return sink ? std::move(sink) : make_syslog_sink("libc");
}

/// -1 with errno on failure.
int open_to_append(const std::string& path, Links links) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  // Without a wait: a pipe may have nobody who reads it.
  if (links == Links::kFollow) return ::open(path.c_str(), kFlags | O_NONBLOCK, 0640);
  const int fd = ::open(path.c_str(), kFlags | O_NOFOLLOW | O_NONBLOCK, 0640);
  // By another name it may be somebody else's.
  struct stat file {};
  if (fd < 0 || (::fstat(fd, &file) == 0 && S_ISREG(file.st_mode) && file.st_nlink == 1)) return fd;
  ::close(fd);
  errno = EPERM;
  return -1;
}

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace

Logger& Logger::instance() {
  static Logger* const logger = new Logger;
  return *logger;
}

bool Logger::LessIgnoringCase::operator()(std::string_view a, std::string_view b) const {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return lower(x) < lower(y); });
}

Logger::Logger() : syslog_(default_sink()), console_(write_at_once), file_writer_(write_at_once) {
  patterns_[static_cast<std::size_t>(Destination::kConsole)] =
      "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m";
  patterns_[static_cast<std::size_t>(Destination::kSyslog)] = "ovs|%05N|%c%T|%p|%m";
  patterns_[static_cast<std::size_t>(Destination::kFile)] =
      "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m";
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) host_ = name.data();
  for (const char* known : kWellKnownModules) module_locked(known);
}

ModuleState& Logger::module(std::string_view name) {
  const MutexLock lock(mutex_);
  return module_locked(name);
}

ModuleState& Logger::module_locked(std::string_view name) {
  if (const auto found = modules_.find(name); found != modules_.end()) return *found->second;
  auto state = std::make_unique<ModuleState>();
  state->name = name;
  update_highest_locked(*state);
  return *modules_.emplace(name, std::move(state)).first->second;
}

bool Logger::in_use_locked(Destination destination) const {
  switch (destination) {
    case Destination::kConsole:
      return true;
    case Destination::kSyslog:
      return syslog_->active() || syslog_target_;
    case Destination::kFile:
      return file_fd_ >= 0;
  }
  return false;
}

void Logger::update_highest_locked(ModuleState& module) const {
  Level highest = kept_ ? Level::kWarn : Level::kOff;
  for (std::size_t i = 0; i < kDestinations; ++i) {
    if (in_use_locked(static_cast<Destination>(i))) highest = std::max(highest, module.levels[i]);
  }
  module.highest.store(highest, std::memory_order_relaxed);
}

void Logger::update_all_locked() {
  for (auto& [name, module] : modules_) update_highest_locked(*module);
}

Problem Logger::apply(std::string_view text) {
  const MutexLock lock(mutex_);
  const auto is_module = [this](std::string_view name)
                             REQUIRES(mutex_) { return modules_.contains(name); };
  return std::visit(Overloaded{[&](const LevelSpec& spec) REQUIRES(mutex_) -> Problem {
                                 apply_levels_locked(spec);
                                 return std::nullopt;
                               },
                               [&](const PatternSpec& spec) REQUIRES(mutex_) -> Problem {
                                 apply_pattern_locked(spec);
                                 return std::nullopt;
                               },
                               [&](const FacilitySpec& spec) REQUIRES(mutex_) -> Problem {
                                 facility_ = spec.facility;
                                 return std::nullopt;
                               },
                               [](const BadSpec& spec) -> Problem { return spec.reason; }},
                    parse_spec(text, is_module));
}

void Logger::apply_levels_locked(const LevelSpec& spec) {
  const auto set = [&](ModuleState& module) REQUIRES(mutex_) {
    for (std::size_t i = 0; i < kDestinations; ++i) {
      if (!spec.destination || static_cast<std::size_t>(*spec.destination) == i)
        module.levels[i] = spec.level;
    }
    update_highest_locked(module);
  };
  if (spec.module) {
    set(module_locked(*spec.module));
  } else {
    for (auto& [name, module] : modules_) set(*module);
  }
}

void Logger::apply_pattern_locked(const PatternSpec& spec) {
  for (std::size_t i = 0; i < kDestinations; ++i) {
    if (!spec.destination || static_cast<std::size_t>(*spec.destination) == i)
      patterns_[i] = spec.pattern;
  }
}

void Logger::set_levels(Destination destination, Level level) {
  const MutexLock lock(mutex_);
  apply_levels_locked({std::nullopt, destination, level});
}

Problem Logger::set_rate_limiting(std::string_view name, bool enabled) {
  const MutexLock lock(mutex_);
  if (equal_ignoring_case(name, "any")) {
    for (auto& [key, module] : modules_) module->rate_limited = enabled;
    return std::nullopt;
  }
  const auto found = modules_.find(name);
  if (found == modules_.end()) return "unknown module";
  found->second->rate_limited = enabled;
  return std::nullopt;
}

bool Logger::is_open_file(const std::string& path) const {
  struct stat open_one {};
  struct stat there {};
  return file_fd_ >= 0 && ::fstat(file_fd_, &open_one) == 0 && ::stat(path.c_str(), &there) == 0 &&
         open_one.st_ino == there.st_ino && open_one.st_dev == there.st_dev;
}

Problem Logger::change_file(std::function<int()> change) {
  const auto error = std::make_shared<int>(0);
  {
    const MutexLock lock(mutex_);
    change_ = [error, change = std::move(change)] { *error = change(); };
  }
  if (changes_ < kMostChanges) {  // else the one that waits does it
    ++changes_;
    if (file_opener_.run([this] { change_now(); })) {
      if (*error == 0) return std::nullopt;
      return std::strerror(*error);
    }
  }
  return "the disk does not answer: the log file is opened or closed when it does";
}

void Logger::change_now() {
  std::function<void()> change;
  {
    const MutexLock lock(mutex_);
    change.swap(change_);
  }
  if (change) change();
  --changes_;
}

Problem Logger::open_file(const std::string& path, Links links) {
  return change_file([this, path, links] { return open_now(path, links); });
}

int Logger::open_now(const std::string& path, Links links) {
  if (is_open_file(path)) return 0;
  const int fd = open_to_append(path, links);
  const int error = fd < 0 ? errno : 0;
  close_now();
  {
    const MutexLock lock(mutex_);
    file_path_ = path;
    open_error_ = error;
    if (fd >= 0) file_ = std::make_shared<const UniqueFd>(fd);
    file_fd_ = fd;
    update_all_locked();
  }
  if (error != 0) {
    note(Level::kWarn,
         fmt::format("failed to open {} for logging: {}", path, std::strerror(error)));
  } else {
    note(Level::kInfo, fmt::format("opened log file {}", path));
  }
  return error;
}

Problem Logger::reopen_file() {
  std::string path;
  {
    const MutexLock lock(mutex_);
    path = file_path_;
  }
  if (path.empty()) return "Logging to file not configured";
  // Files are opened with the server's own rights at run time.
  return open_file(path, Links::kFollow);
}

Problem Logger::close_file() {
  return change_file([this] { return close_now(); });
}

int Logger::close_now() {
  if (file_fd_ < 0) return 0;
  note(Level::kInfo, "closing log file");
  FileRef closed;  // without the lock
  const MutexLock lock(mutex_);
  file_fd_ = -1;
  closed.swap(file_);
  update_all_locked();
  return 0;
}

FileHealth Logger::file_health() {
  const MutexLock lock(mutex_);
  if (file_ == nullptr && open_error_ == 0) return {};
  FileHealth health = file_ != nullptr ? file_writer_.health() : FileHealth{};
  health.path = file_path_;
  health.open_error = open_error_;
  return health;
}

void Logger::start_file_threads() {
  file_opener_.start();
  const MutexLock lock(mutex_);
  file_writer_.start_thread();
}

void Logger::set_syslog(std::unique_ptr<SyslogSink> sink) {
  const MutexLock lock(mutex_);
  syslog_ = std::move(sink);
  update_all_locked();
}

void Logger::set_syslog_target(std::unique_ptr<SyslogSink> sink) {
  const MutexLock lock(mutex_);
  syslog_target_ = std::move(sink);
  update_all_locked();
}

void Logger::set_subprogram(std::string name) {
  const MutexLock lock(mutex_);
  subprogram_ = std::move(name);
}

void Logger::keep_warnings() {
  const MutexLock lock(mutex_);
  if (!kept_) kept_.emplace();
  update_all_locked();
}

std::vector<std::string> Logger::take_kept_warnings() {
  const MutexLock lock(mutex_);
  std::vector<std::string> kept = std::exchange(kept_, {}).value_or(std::vector<std::string>());
  update_all_locked();
  return kept;
}

std::string Logger::list_levels() {
  const MutexLock lock(mutex_);
  std::string out =
      "                 console    syslog    file\n"
      "                 -------    ------    ------\n";
  for (const auto& [name, module] : modules_) {
    out += fmt::format("{:<16}  {:>4}       {:>4}       {:>4}{}\n", name,
                       level_name(module->levels[0]), level_name(module->levels[1]),
                       level_name(module->levels[2]),
                       module->rate_limited ? "" : "    (rate limiting disabled)");
  }
  return out;
}

std::string Logger::list_patterns() {
  const MutexLock lock(mutex_);
  std::string out =
      "         prefix                            format\n"
      "         ------                            ------\n";
  for (const auto destination : {Destination::kSyslog, Destination::kConsole, Destination::kFile}) {
    out += fmt::format("{:<7}  {:<32}  {}\n", destination_name(destination),
                       destination == Destination::kSyslog ? syslog_->prefix() : "none",
                       patterns_[static_cast<std::size_t>(destination)]);
  }
  return out;
}

}  // namespace tandem::log
