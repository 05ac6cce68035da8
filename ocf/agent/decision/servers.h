#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ocf/agent/decision/bulletin.h"
#include "ocf/agent/decision/desk.h"

namespace tandem::agent {

/// A server of this node, as it shows itself. A value.
struct ServerState {
  enum class Role : std::uint8_t {
    kGone,  ///< does not run
    kHung,  ///< runs, and does not answer
    kActive,
    kBackup,
  };
  Role role = Role::kGone;
  /// An active: "writable" or "expired". A backup: "replicating", or what keeps it from that.
  std::string link = "-";
  std::optional<Copy::Database> copy{};
  bool healthy = true;  ///< it can write; false only if the server says so
  /// Part of its file is lost, and was not taken from an active since: what it holds is less than
  /// it once had.
  bool damaged = false;
  Names listening{};   ///< TCP targets at which it does
  std::string deaf{};  ///< one at which it cannot, and why; but not for an address of another node
  std::string port_problem{};              ///< of a backup: why it could not listen as the active
  std::string source{};                    ///< whom a backup follows
  std::optional<std::string> node_name{};  ///< as it knows it; nothing: it knows none
  bool was_ended = false;  ///< gone: it was told to end, by whatever, and did not die

  /// Reads the answer to tandem/status --format json. Nothing if it is not about this database.
  static std::optional<ServerState> from_status(Which which, std::string_view text);
  /// Reads the answer to ovsdb-server/sync-status, for a stock server.
  static ServerState from_sync_status(std::string_view text);
};

std::string to_string(ServerState::Role role);

/// The two servers of this node: asked, started, stopped and given their roles. Lives as long as
/// the action.
class Servers {
 public:
  explicit Servers(Desk& desk) : desk_(desk) {}

  /// Asks both how they are.
  Task<> survey();
  const ServerState& operator[](Which which) const { return states_[which]; }
  bool both_are(ServerState::Role role) const;
  bool any_is(ServerState::Role role) const;
  bool both_links_are(std::string_view link) const;
  /// At least one of those that are gone was told to end.
  bool any_was_ended() const;
  bool any_link_is(std::string_view link) const;
  /// The servers that run here are active, and may write.
  bool is_writable() const;
  /// False if one of them says that nothing can be written to its file.
  bool can_write() const { return states_[Which::kNb].healthy && states_[Which::kSb].healthy; }
  /// Could those that are backups be active: write to their files, and listen for clients?
  bool backups_are_fit() const;
  /// Why not, for people.
  std::string fault() const;
  /// A target at which an active cannot listen, and why; empty: there is none.
  std::string deafness() const;
  /// The copies that both hold, as of the last survey.
  Copy copy() const;
  /// "active and gone", for people.
  std::string roles_text() const;

  /// Makes both backups of the active on node `active` (empty: not known). What does not run is
  /// started; what cannot be made a backup is killed and started as one. False: one may be active.
  Task<bool> demote_both(std::string active, const Bulletin& bulletin);
  Task<bool> demote(Which which, std::string active, const Bulletin& bulletin);
  /// The same, but what does not run stays so.
  Task<bool> demote_those_that_run(std::string active, const Bulletin& bulletin);
  /// The same of those that run, and nothing is started or killed.
  Task<> tell_both_to_follow(std::string active, const Bulletin& bulletin);
  /// This copy has not everything any more.
  void lose_sync(Which which);
  /// Opens an epoch above these, if the copy has not gone back since the survey.
  Task<bool> promote(Which which, Epoch above);
  Task<bool> start(Which which, std::string active, const Bulletin& bulletin,
                   std::int64_t limit_ms);
  Task<bool> stop_both();
  /// Kills one that is gone or hung, and starts it as a backup, if it starts within so long.
  Task<bool> restart(Which which, std::string active, const Bulletin& bulletin,
                     std::int64_t limit_ms);
  Task<> kill(Which which);
  enum class Lease : std::uint8_t {
    kGranted,     ///< or there is nothing to grant: it is gone, or a stock server
    kUnanswered,  ///< it may have it, or not
    kRefused,     ///< another server was made active
  };
  /// Grants an active server the role for so long.
  Task<Lease> lease(Which which, std::int64_t ms);
  /// Ends its lease: it takes no writes, and nobody can connect to it as to the active.
  Task<> revoke(Which which);
  /// Lets active servers write without a lease.
  Task<> end_leases();
  Task<> set_sync();
  /// Tells servers how to show their role to clients.
  Task<> advertise();
  /// Tells servers that were started without it how Pacemaker calls this node.
  Task<> name_node();

 private:
  Task<> probe(Which which);
  Task<> probe_port(Which which, ServerState& state);
  Task<std::optional<ServerState>> ask_state(Which which, std::int64_t limit_ms);
  Task<> follow_one(Which which, std::string active, const Bulletin* bulletin);
  Task<std::optional<std::string>> tell_to_follow(Which which, std::string active,
                                                  const Bulletin* bulletin);
  Task<std::optional<std::string>> demote_stock(Which which, std::string remote);
  Task<bool> stop(Which which);
  std::vector<std::string> start_words(Which which, const std::string& active) const;

  Desk& desk_;
  Pair<ServerState> states_;
};

/// The epoch that the active on `node` has at least, as far as is known: a promotion raises it. So
/// no backup goes back to a former active that still has the address.
Epoch least_epoch(const Bulletin& bulletin, Which which, const std::string& node);

}  // namespace tandem::agent
