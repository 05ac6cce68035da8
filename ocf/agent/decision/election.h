#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "ocf/agent/decision/cluster.h"
#include "ocf/agent/decision/desk.h"
#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

/// Which copy is to be promoted, seen from one of them: its score, its answers before a promotion,
/// and the last look at the moment of it. Lives as long as the action.
class Election {
 public:
  Election(Desk& desk, Servers& servers, Cluster& cluster, std::uint64_t seed)
      : desk_(desk), servers_(servers), cluster_(cluster), seed_(seed) {}

  /// Sets the score of this backup from the last survey and what the others have published.
  Task<> judge();
  /// Publishes `live` or `cut`, whichever this backup is.
  Task<> publish_backup();
  /// Answers the question before a promotion.
  Task<> settle();
  /// The last look: empty if this copy may be promoted, else why not.
  Task<std::string> refusal();
  /// The last look of one that has been active here until a moment ago. Empty: it may be again.
  Task<std::string> objection_to_return();
  /// The node that is active, as far as is known; empty: none.
  std::string active_node() const;
  /// The greatest epoch that anybody has, or may have opened: two promotions from the same copies,
  /// of which one is cut off, must not open the same one.
  Epoch greatest_epoch(Which which) const;
  /// Remembers it: those that have opened it may be gone, with their words, at the next promotion.
  void learn_epochs();
  /// The others whose copies count before a promotion, as Pacemaker names them: those that run, or
  /// have been started, and go on running.
  Names electorate() const;

 private:
  /// The others' copies beside this one.
  struct View {
    std::string active;  ///< the node that says it is
    const Notice* better = nullptr;
    Names present;  ///< whose copies could be promoted
    Names behind;   ///< that are certainly behind: they have answered
  };
  View compare_with_others() const;
  Epoch greatest_published(Which which) const;
  void remember_epoch();
  const Notice* better_of(const Names& nodes) const;
  std::string better_text(const Notice& better) const;
  Task<> judge_cut_off(View view);
  Task<> judge_without_active(View view);
  Task<> leave_active();
  Task<> ask_round();
  bool is_promotable() const;
  Notice::Word answer_word() const;
  std::optional<std::string> question_of(const std::string& chosen) const;
  Task<std::optional<std::string>> await_question(std::string chosen, std::int64_t limit_ms);
  Task<bool> answer_round(std::string chosen, std::int64_t limit_ms);
  Task<> answer(std::string chosen);
  Task<> answer_if_asked(std::string chosen);
  Task<> answer_late(std::string chosen);
  const Notice* end_of_the_leaving() const;
  bool may_be_old(const Notice& ended) const;
  bool may_hide_commits(const Names& silent) const;
  Names awaited(const std::string& round) const;
  Task<bool> await_answers(std::int64_t limit_ms);
  Task<> adjust_scores(std::string chosen);

  Desk& desk_;
  Servers& servers_;
  Cluster& cluster_;
  std::uint64_t seed_;
};

}  // namespace tandem::agent
