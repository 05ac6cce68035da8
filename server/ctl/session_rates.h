#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "protocol/json/value.h"

namespace tandem::ctl {

/// The clients of servers with how many requests a second they have made since the last look: for
/// `sessions --watch`.
class SessionRates {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Answers to `tandem/sessions --format json`, of one server or of several, as a table for
  /// people, those who send most first. What is no such answer is returned as it is.
  std::string show(const std::string& answer, Time now);

 private:
  struct Seen {
    std::int64_t requests;
    Time at;
  };

  std::string table(const std::string& server, const Json& sessions, Time now);

  std::map<std::string, Seen> before_;  // by server, name and remote
  std::map<std::string, Seen> seen_;
};

}  // namespace tandem::ctl
