#pragma once

#include <map>
#include <optional>
#include <string>

#include "ocf/agent/decision/bulletin.h"
#include "ocf/agent/decision/desk.h"
#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

/// Promotion scores, as Pacemaker adds them to the administrator's preferences. Those of backups
/// are below the 10 of a stock agent's active, so that taking a stock cluster over moves no role.
/// A copy that must not be promoted has a ban: without a score a preference could still have it
/// promoted.
namespace score {
inline constexpr const char* kActive = "1000";
inline constexpr const char* kAhead = "200";   ///< ahead of the one that was to be promoted
inline constexpr const char* kSynced = "9";    ///< follows the active
inline constexpr const char* kBestSeen = "8";  ///< follows nobody; no copy that is here is ahead
inline constexpr const char* kStale = "1";     ///< better copies were waited for long enough
inline constexpr const char* kBan = "-INFINITY";

/// As Pacemaker counts: none is -1.
int points(const std::string& score);
}  // namespace score

/// The instances' knowledge of each other: notices, scores and the list of full copies. Lives as
/// long as the action.
class Cluster {
 public:
  explicit Cluster(Desk& desk) : desk_(desk) {}

  /// Publishes a word and the copies of the last survey.
  Task<> publish(Notice::Word word, Copy copy);
  Task<> look_around();
  /// Whether this word of the node comes back from the cluster: it is published with a
  /// number of its own, and looked for until it is seen.
  Task<bool> is_heard(Notice::Word word, Copy copy);
  const Bulletin& bulletin() const { return bulletin_; }
  Names nodes_that_said(Notice::Word word) const;
  /// Another node says that it is active; of several the one whose copy is ahead.
  const Notice* other_active() const;
  /// Another node has had a promotion since that of this copy, whether it is active or not: its
  /// epoch is later in some database.
  const Notice* promoted_since(const Copy& copy) const;

  Task<> look_at_scores();
  /// "" if the node has none.
  std::string score_of(const std::string& node) const;
  Task<> set_score(std::string value, std::string why);
  /// Bans nodes where the instance has stopped: it could not do so without making Pacemaker plan
  /// anew. But not where the stock agent runs now.
  Task<> sweep_scores();
  /// The nodes in the list that run the stock agent: it has two scores, and publishes nothing. Ours
  /// may have been stopped there before.
  Names stock_nodes(const Names& among) const;

  /// The nodes that had a full copy when an active last looked; in the configuration, so that it
  /// survives a loss of all power. Nothing if the cluster does not say.
  Task<std::optional<Names>> look_at_copies();
  /// On the active: remembers which nodes have a full copy now, itself and those that follow.
  Task<> remember_copies();
  /// Tells the stock agents who is active: their attribute.
  Task<> name_active();

 private:
  /// Says so if it could not be set.
  Task<> write(WriteAttribute attribute);
  std::string score_attribute() const { return "master-" + desk_.settings().instance; }
  std::string position_attribute() const { return "position-" + desk_.settings().instance; }

  Desk& desk_;
  Bulletin bulletin_;
  std::map<std::string, std::string> scores_;  ///< by host
};

/// The nodes of `names` that are not in `without`.
Names difference(const Names& names, const Names& without);
std::string joined(const Names& names, const std::string& between = " ");

}  // namespace tandem::agent
