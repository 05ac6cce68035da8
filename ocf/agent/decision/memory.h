#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ocf/agent/decision/settings.h"
#include "replication/height.h"

namespace tandem::agent {

/// All that an instance remembers between actions, on its node, until the machine is started anew.
/// Times are milliseconds since then. A value; a text with a format number keeps it.
struct Memory {
  static constexpr int kFormat = 2;

  std::string boot;           ///< the machine's start that it is of; empty: not said
  bool started = false;       ///< Pacemaker has started the servers, or found them running
  std::string score;          ///< the promotion score as last set
  Pair<bool> in_sync;         ///< the copy had everything when an active was last heard
  bool full_by_list = false;  ///< only the list of full copies says so: no active was heard since
  Pair<bool> stock;           ///< the server that runs is no Tandem server
  bool was_cut_off = false;   ///< the last look at an active found this backup not following
  bool was_alone = false;     ///< the last look found no active
  std::optional<std::int64_t> alone_since{};  ///< no active was seen since
  bool let_go = false;                        ///< better copies were waited for long enough
  bool refused = false;                       ///< the last promotion was refused
  /// A server could not be promoted, so this copy is no candidate until it follows an active again:
  /// it may be ahead by an epoch in which nobody wrote.
  bool unfit = false;
  /// The greatest epoch that anybody has said to be of, or that a promotion of which this node was
  /// notified may have opened out of everybody's sight.
  Pair<Epoch> taken_epoch{};
  std::string round;   ///< the question before a promotion that was last asked or answered
  bool asked = false;  ///< the notification before the promotion that comes has been here
  std::optional<std::int64_t> leaving_since{};  ///< demoted before Pacemaker has said so
  std::string copies;                           ///< the list of full copies as last written
  /// Backups that took part in this promotion, of which it is not known yet whether they follow.
  Names undecided;
  bool named = false;     ///< the stock agents' attribute names this node
  Pair<bool> connection;  ///< the Connection row is right
  bool keeping = false;   ///< this instance is promoted, and the role may be granted on
  std::int64_t granted_at = 0;
  std::int64_t granted_ms = 0;  ///< length of that lease
  /// A promoted monitor could not make sure of the role since.
  std::optional<std::int64_t> unsure_since{};
  Pair<std::vector<std::int64_t>> repaired;
  /// Raised by each action that changes what the servers are to be.
  std::int64_t turn = 0;

  /// There is an active: what was known or waited for without one counts no more.
  void forget_waiting();
  /// The part that outlives the servers: without it a refusal, which restarts them, would have
  /// everything waited for once more.
  Memory without_servers() const;

  std::string to_text() const;
  /// Of a text in another format nothing is taken over.
  static Memory from_text(std::string_view text);

  bool operator==(const Memory&) const = default;
};

}  // namespace tandem::agent
