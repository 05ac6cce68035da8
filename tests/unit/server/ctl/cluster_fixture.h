#pragma once

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "server/ctl/copies.h"

namespace tandem::ctl::test {

inline Json json(const std::string& text) { return read_json(text).value(); }

inline std::string position(std::uint64_t epoch, std::uint64_t index,
                            const std::string& digest = "d") {
  return fmt::format(R"({{"epoch":{},"index":{},"digest":"{}"}})", epoch, index, digest);
}

/// Of a server with one database, D.
inline std::string status(const std::string& id, const std::string& database,
                          const std::string& more = "") {
  return fmt::format(R"({{"server_id":"{}","host":"host-{}"{},"databases":[{{"name":"D",{}}}]}})",
                     id, id, more, database);
}

inline Asked active(const std::string& target, const std::string& followers = "",
                    std::uint64_t index = 7) {
  return {target,
          json(status(target, fmt::format(R"("role":"active","writable":true,"position":{},)"
                                          R"("followers":[{}])",
                                          position(2, index), followers)))};
}

/// What follows `follower` are members of the follower.
inline Asked backup(const std::string& target, const std::string& follower,
                    const std::string& at = position(2, 7)) {
  return {target,
          json(status(target, fmt::format(R"("role":"backup","writable":false,"position":{},)"
                                          R"("source":"tcp:1.2.3.4:6641","follower":{{{}}})",
                                          at, follower)))};
}

/// Its position is its own.
inline Asked relay(const std::string& target, const std::string& follower) {
  return {target,
          json(status(target, fmt::format(R"("role":"relay","writable":true,"position":{},)"
                                          R"("source":"tcp:1.2.3.4:6642","follower":{{{}}})",
                                          position(0, 3, "own"), follower)))};
}

inline Asked silent(const std::string& target) {
  return {target, Error{"no way to " + target, "", std::nullopt}};
}

inline constexpr const char* kReplicating =
    R"("state":"replicating","stale":false,"mode":"stream","lag_records":0,"lag_ms":0)";

}  // namespace tandem::ctl::test
