#pragma once

#include <cstdint>
#include <string>

#include "server/control/server_status.h"

namespace tandem::http {

/// How a server is, by the worst of its concerns.
enum class Mood : std::uint8_t {
  kGood,
  kCare,    ///< something is to be looked at
  kOutage,  ///< clients feel it
};
Mood mood_of(const control::ServerStatus& status);

/// In one sentence: "Active for OVN_Northbound and OVN_Southbound; one backup in sync."
std::string verdict_words(const control::ServerStatus& status);

}  // namespace tandem::http
