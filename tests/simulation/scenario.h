#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replication/commit_gate.h"
#include "tests/simulation/world.h"

namespace tandem::simulation {

/// The choices that a seed makes before anything happens.
struct Scenario {
  std::size_t servers;
  std::vector<std::string> databases;
  CommitGate::Options gate;
  bool manager_errs;   ///< promotes any server, or two at once; otherwise one that has everything
  bool power_fails;    ///< what is killed loses what was not synced
  bool disks_fail;     ///< they are full for a while, or fail at some step
  bool disks_hang;     ///< for a while they do not answer
  bool cascades;       ///< backups may follow backups
  bool forwards;       ///< clients write at backups, too
  std::size_t relays;  ///< of the first database; clients write there, too
  /// Of a server that dies while all others are up and whole a record in the middle may be lost.
  bool files_damaged;
  bool files_mounted;  ///< each by itself, so that no other can replace it
  /// This server knows no more than RFC 7047 in both roles, and is not promoted.
  std::optional<std::size_t> plain;
  std::size_t history_bytes;

  static Scenario drawn_from(World& world);
  std::string to_string() const;

  bool has_gate() const { return gate.replicas > 0; }
  /// With a gate that blocks and a manager that obeys, what was acknowledged is never lost, not
  /// even into a file.
  bool is_strict() const {
    return has_gate() && gate.fallback == CommitGate::Fallback::kBlock && !manager_errs;
  }
};

}  // namespace tandem::simulation
