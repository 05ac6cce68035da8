#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::control {

struct ServerStatus;

/// One thing that is wrong with what the server depends on: disk, log file, certificates. A value.
/// This file alone decides what counts as wrong; status, status pages and the log tell of it.
struct Trouble {
  enum class Kind : std::uint8_t {
    kWriteFailing,    ///< writes to the file of a database fail
    kDamage,          ///< records of the file cannot be read
    kHanging,         ///< a write to it does not return
    kLogFileClosed,   ///< the log file could not be opened
    kLogFileFailing,  ///< writes to it fail, or do not return
    kKeyFile,         ///< a file of keys or certificates could not be used
    kExpiring,        ///< a certificate in it runs out soon
    kExpired,         ///< has run out
    kNotYetValid,     ///< is one of the future
    kCommitsWaiting,  ///< commits wait for backups to acknowledge them
  };

  Kind kind;
  std::string subject;  ///< a database, "log file", or the file of keys by its option
  std::string what;

  /// Is a database not written to because of it? All others are a warning: it is no reason to move
  /// a role.
  bool stops_writing() const;
  /// Do clients wait for answers to what is written already? A warning all the same: where commits
  /// wait for backups that do not answer, no other server may answer either, and this one serves
  /// readers.
  bool holds_commits() const { return kind == Kind::kCommitsWaiting; }
  std::string_view name() const;  ///< of the kind, for programs
  std::string to_string() const { return subject + ": " + what; }
};

/// All there is, what stops writing first.
std::vector<Trouble> troubles_of(const ServerStatus& status);

}  // namespace tandem::control
