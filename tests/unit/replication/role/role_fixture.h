#pragma once

#include <fmt/core.h>

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "replication/role/role.h"

namespace tandem::test {

/// A Role whose time is the test's, and whose actions are told as text.
struct RoleFixture {
  static constexpr Epoch kEpoch{3};

  Role role;
  std::int64_t now_ms = 10'000;
  std::uint64_t changes = 0;
  std::map<std::uint64_t, std::string> answers;
  BackupSet backups;
  std::optional<std::int64_t> deadline_ms;
  std::optional<std::int64_t> timer_ms;
  bool listening = false;
  std::string log;

  RoleState state() const { return role.state(now_ms); }

  void begin(const BackupSet& set) {
    role.start(set);
    role.serve(now_ms);
    take();
  }

  /// The actions since the last call, those that only show the state left out.
  std::string take() {
    std::string done;
    for (const RoleAction& action : role.take_actions()) {
      std::visit([&](const auto& a) { done += told(a); }, action);
    }
    return done;
  }

  RoleChange next() { return RoleChange{++changes}; }
  RoleChange last() const { return RoleChange{changes}; }
  std::string promote(const PromotionWanted& wanted = {}) {
    role.promote(next(), wanted);
    return take();
  }
  std::string demote(const DemotionWanted& wanted = {.backups = BackupSet::all(),
                                                     .follows = "tcp:b:1"}) {
    role.demote(next(), wanted, now_ms);
    return take();
  }
  /// A demotion of which the databases are backups already.
  void begin_drain(const std::string& successor = "", bool if_drained = false) {
    demote({.backups = BackupSet::all(),
            .follows = "tcp:b:1",
            .successor = successor,
            .if_drained = if_drained});
    role.databases_set(last());
    take();
  }
  std::string see(const std::vector<FeedStatus>& followers, bool fresh = true) {
    role.backups_seen(last(), {{"db", {kEpoch, 9, Uuid{1, 9}}, followers}}, fresh, now_ms);
    return take();
  }
  /// A backup at index 9, or before.
  static FeedStatus follower(const std::string& node, std::uint64_t index, bool in_sync = true) {
    FeedStatus feed;
    feed.name = "host-of-" + node;
    feed.node = node;
    feed.acknowledged = {kEpoch, index, Uuid{1, index}};
    feed.in_sync = in_sync;
    return feed;
  }
  std::string answer() const {
    const auto found = answers.find(changes);
    return found == answers.end() ? "none" : found->second;
  }
  std::string pass(std::int64_t ms) {
    now_ms += ms;
    if (timer_ms && *timer_ms <= now_ms) role.timer(now_ms);
    return take();
  }

 private:
  std::string told(const SetWritable& a) {
    backups = a.backups;
    deadline_ms = a.deadline_ms;
    return "";
  }
  static std::string told(const WritePromotion& a) {
    std::string text = "write promotion";
    if (a.above) text += fmt::format(" above {}", static_cast<std::uint64_t>(*a.above));
    if (a.give_up_damaged) text += " damaged";
    if (a.least) text += " least " + a.least->to_string();
    return text + ";";
  }
  static std::string told(const SettleDatabases&) { return "settle;"; }
  static std::string told(const LookAtBackups&) { return "look;"; }
  static std::string told(const Follow&) { return "follow;"; }
  static std::string told(const DeposeActive&) { return "depose;"; }
  std::string told(const SetListening& a) {
    listening = a.listening;
    return "";
  }
  std::string told(const SetTimer& a) {
    timer_ms = a.at_ms;
    return "";
  }
  static std::string told(const SaveRole&) { return "save;"; }
  std::string told(const Answer& a) {
    const auto change = static_cast<std::uint64_t>(a.change);
    CHECK_FALSE(answers.contains(change));  // each change is answered once
    answers[change] = a.result ? "done " + *a.result : "error: " + a.result.error().to_string();
    return "answer;";
  }
  std::string told(const LogRole& a) {
    log += a.text + "\n";
    return "";
  }
};

}  // namespace tandem::test
