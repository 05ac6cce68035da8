#include "replication/role/role.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem {
namespace {

std::uint64_t number(Epoch epoch) { return static_cast<std::uint64_t>(epoch); }

Error refusal(std::string text) { return Error{std::move(text), "", std::nullopt}; }

std::string one_line(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  std::replace(text.begin(), text.end(), '\n', ';');
  return text;
}

Error deposed_error(Epoch epoch) {
  return refusal(fmt::format(
      "another server was made active in epoch {}: only a promotion gives the role back",
      number(epoch)));
}

}  // namespace

// --- start ---

void Role::start(const BackupSet& backups) {
  backups_ = backups;
  state_ = backups.empty() ? RoleState::kActive : RoleState::kBackup;
  set_writable();
}

void Role::serve(std::int64_t now_ms) {
  look_at_lease(now_ms);
  actions_.emplace_back(SetListening{state_ == RoleState::kActive});
  if (state_ == RoleState::kBackup) actions_.emplace_back(Follow{newest_});
  actions_.emplace_back(SaveRole{});
}

// --- promotion ---

void Role::promote(RoleChange change, const PromotionWanted& wanted) {
  const bool is_active = has_active_role(state_);
  std::optional<Epoch> above = wanted.above;
  if (is_active && lease_.is_deposed(wanted.epoch))
    above = std::max(above, std::optional(wanted.epoch));
  if (is_active && !above && !wanted.least) {
    actions_.emplace_back(Answer{change, with_text("")});
    return;
  }
  if (!is_active && !wanted.never_synced.empty() && !wanted.force) {
    const Error refused = refusal(
        fmt::format("{} was never in sync with an active server, and is empty: refusing to promote "
                    "(--force does it all the same)",
                    wanted.never_synced));
    log(LogRole::Level::kInfo, "not promoted: " + refused.to_string());
    actions_.emplace_back(Answer{change, refused});
    return;
  }
  begin(change, Kind::kPromotion);
  if (!is_active) state_ = RoleState::kPromoting;
  set_timer();
  actions_.emplace_back(
      WritePromotion{change, above, wanted.least, backups_, wanted.give_up_damaged});
}

void Role::promotion_written(RoleChange change, const Result<void>& durable, std::int64_t now_ms) {
  if (!is_current(change)) return;
  backups_ = BackupSet::none();
  lease_.restart(now_ms);
  become_active(now_ms);
  if (durable) return answer(with_text(""));
  log(LogRole::Level::kError, "promotion is not durable: " + durable.error().to_string());
  answer(durable.error());
}

void Role::promotion_refused(RoleChange change, const Error& error) {
  log(LogRole::Level::kWarn, "not promoted: " + error.to_string());
  if (!is_current(change)) return;
  // An active that could not open another epoch stays what it is.
  if (state_ == RoleState::kPromoting) return become_backup(error);
  answer(error);
}

// --- demotion ---

void Role::demote(RoleChange change, const DemotionWanted& wanted, std::int64_t now_ms) {
  begin(change, Kind::kDemotion).until_followed = wanted.until_followed;
  if (drain_) {
    drain_ = drain_->with(wanted.successor, wanted.if_drained);
  } else if (has_active_role(state_)) {
    log(LogRole::Level::kInfo, "becoming a backup of " + wanted.follows);
    drain_.emplace(now_ms, wanted.successor, wanted.if_drained);
  }
  state_ = drain_ ? RoleState::kDraining : RoleState::kBackup;
  if (wanted.depose) actions_.emplace_back(DeposeActive{});
  backups_ = wanted.backups;
  set_writable();
  set_timer();
  actions_.emplace_back(SaveRole{});
}

void Role::databases_set(RoleChange change) {
  if (!is_current(change) || change_->kind != Kind::kDemotion) return;
  if (std::exchange(change_->databases_set, true)) return;
  if (!drain_) return become_backup(with_text(""));
  actions_.emplace_back(LookAtBackups{change});
}

void Role::backups_seen(RoleChange change, const std::vector<DrainedDatabase>& databases,
                        bool fresh, std::int64_t now_ms) {
  if (!is_current(change) || !drain_) return;
  switch (drain_->judge(databases, fresh, now_ms)) {
    case Drain::Verdict::kWait:
      look_ms_ = now_ms + Drain::kLookMs;
      return set_timer();
    case Drain::Verdict::kEnded:
      return end_demotion(drain_->report());
    case Drain::Verdict::kUndo:
      return undo_demotion(drain_->report(), now_ms);
  }
}

void Role::end_demotion(const std::string& report) {
  log(LogRole::Level::kInfo,
      report == "drained\n" ? "demoted: the backups that keep up have everything"
                            : "demoted, and not all backups have everything: " + one_line(report));
  become_backup(with_text(report));
}

/// Nothing was written since, so no new epoch is needed. If another server is being made active the
/// lease has ended.
void Role::undo_demotion(const std::string& report, std::int64_t now_ms) {
  const std::string text =
      "not demoted, the backup that is to be active has not everything: " + one_line(report);
  backups_ = BackupSet::none();
  become_active(now_ms);
  log(LogRole::Level::kWarn, text);
  answer(refusal(text));
}

// --- configuration file ---

void Role::reload(RoleChange change, const BackupSet& backups) {
  begin(change, Kind::kReload).wanted = backups;
  // Until all is settled a database is a backup that is one now, or is to be.
  backups_.add(backups);
  if (!backups_.empty()) state_ = RoleState::kBackup;
  set_timer();
  actions_.emplace_back(SettleDatabases{change, backups});
}

void Role::settled(RoleChange change, const std::map<std::string, Error>& failed,
                   std::int64_t now_ms) {
  for (const auto& [name, error] : failed)
    log(LogRole::Level::kWarn, fmt::format("{}: not promoted: {}", name, error.to_string()));
  if (!is_current(change)) return;
  backups_ = change_->wanted;
  for (const auto& [name, error] : failed) backups_.add(name);
  const Result<std::string> result = failed.empty() ? with_text("") : failed.rbegin()->second;
  if (backups_.empty()) {
    become_active(now_ms);
    return answer(result);
  }
  set_writable();
  actions_.emplace_back(SaveRole{});
  change_->until_followed = true;
  become_backup(result);
}

// --- lease ---

Result<void> Role::renew_lease(std::int64_t length_ms, std::optional<Epoch> wanted, Epoch epoch,
                               std::int64_t now_ms) {
  if (wanted && *wanted != epoch)
    return refusal(
        fmt::format("this server is in epoch {}, not {}", number(epoch), number(*wanted)));
  if (lease_.is_deposed(epoch)) return deposed_error(epoch);
  if (lease_.state(now_ms) == Lease::State::kUnarmed) {
    log(LogRole::Level::kInfo,
        fmt::format("role lease: this server may write for {:.1f} s at a time, from now on",
                    static_cast<double>(length_ms) / 1000));
  }
  lease_.renew(length_ms, now_ms);
  set_writable();
  look_at_lease(now_ms);
  actions_.emplace_back(SaveRole{});
  return {};
}

Result<void> Role::disarm_lease(Epoch epoch, std::int64_t now_ms) {
  if (lease_.is_deposed(epoch)) return deposed_error(epoch);
  if (lease_.state(now_ms) != Lease::State::kUnarmed)
    log(LogRole::Level::kInfo, "role lease: none any more, the role alone decides");
  lease_.disarm();
  set_writable();
  look_at_lease(now_ms);
  actions_.emplace_back(SaveRole{});
  return {};
}

/// The manager that grants the lease does not know yet, or cannot tell any more: the right to write
/// ends now instead of with the lease.
void Role::depose(Epoch epoch, std::int64_t now_ms) {
  if (state_ == RoleState::kBackup || state_ == RoleState::kPromoting) return;
  const std::string said = "a backup says that another server is being made active";
  if (lease_.state(now_ms) == Lease::State::kUnarmed || lease_.is_deposed(epoch))
    return log(LogRole::Level::kWarn, said);
  log(LogRole::Level::kInfo, said + ": giving the lease back");
  lease_.depose(epoch, now_ms);
  set_writable();
  look_at_lease(now_ms);
  actions_.emplace_back(SaveRole{});
}

/// Says so when it ran out or is back.
void Role::look_at_lease(std::int64_t now_ms) {
  const bool expired = lease_.state(now_ms) == Lease::State::kExpired;
  if (state_ == RoleState::kActive && expired) {
    state_ = RoleState::kExpired;
    log(LogRole::Level::kWarn,
        fmt::format("role lease of {:.1f} s has run out: read-only until it is renewed",
                    static_cast<double>(lease_.length_ms()) / 1000));
    actions_.emplace_back(SetListening{false});
  } else if (state_ == RoleState::kExpired && !expired) {
    state_ = RoleState::kActive;
    log(LogRole::Level::kInfo, "role lease is renewed: writable again");
    actions_.emplace_back(SetListening{true});
  }
  set_timer();
}

// --- what changes of role share ---

Role::Change& Role::begin(RoleChange id, Kind kind) {
  if (change_) {
    const auto overtaken = [this]() -> std::string {
      switch (change_->kind) {
        case Kind::kPromotion:
          return "the promotion";
        case Kind::kDemotion:
          return "this one";
        case Kind::kReload:
          return "the reload";
      }
      return "";
    };
    answer(refusal("another change of role has overtaken " + overtaken()));
  }
  newest_ = id;
  look_ms_.reset();
  if (kind != Kind::kDemotion) drain_.reset();  // a later demotion goes on waiting
  return change_.emplace(Change{id, kind});
}

void Role::answer(const Result<std::string>& result) {
  actions_.emplace_back(Answer{change_->id, result});
  change_.reset();
}

void Role::become_active(std::int64_t now_ms) {
  drain_.reset();
  state_ = RoleState::kActive;
  set_writable();
  look_at_lease(now_ms);
  actions_.emplace_back(SetListening{state_ == RoleState::kActive});
  actions_.emplace_back(SaveRole{});
}

void Role::become_backup(const Result<std::string>& result) {
  drain_.reset();
  state_ = RoleState::kBackup;
  set_timer();
  actions_.emplace_back(SetListening{false});
  actions_.emplace_back(Follow{change_->id});
  if (!change_->until_followed) return answer(result);
  change_->result = result;
}

void Role::followed(RoleChange change) {
  if (is_current(change) && change_->until_followed && state_ == RoleState::kBackup)
    answer(Result<std::string>(change_->result));
}

void Role::timer(std::int64_t now_ms) {
  if (look_ms_ && now_ms >= *look_ms_) {
    look_ms_.reset();
    actions_.emplace_back(LookAtBackups{change_->id});
  }
  look_at_lease(now_ms);
}

void Role::set_writable() {
  if (state_ == RoleState::kPromoting) return;  // the promotion's end sets it
  actions_.emplace_back(SetWritable{newest_, backups_, lease_.deadline_ms()});
}

void Role::set_timer() {
  std::optional<std::int64_t> at_ms = look_ms_;
  if (state_ == RoleState::kActive && lease_.deadline_ms()) at_ms = lease_.deadline_ms();
  actions_.emplace_back(SetTimer{at_ms});
}

void Role::log(LogRole::Level level, std::string text) {
  actions_.emplace_back(LogRole{level, std::move(text)});
}

}  // namespace tandem
