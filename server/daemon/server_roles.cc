// Changes of role by control commands, and the server that this one follows.

#include "server/control/command_registry.h"
#include "server/daemon/server.h"

namespace tandem {

/// A change of many steps is not begun while the writer is busy.
void Server::when_writer_answers(std::function<void()> then,
                                 std::function<void(const Error&)> otherwise) {
  errands_.run(
      to_writer_, [] { return Result<void>(); },
      [then = std::move(then), otherwise = std::move(otherwise)](const Result<void>& answered) {
        if (!answered) return otherwise(answered.error());
        then();
      });
}

void Server::promote(const Promotion& promotion, control::Done done) {
  when_writer_answers([this, promotion, done] { role_.promote(promotion, done); }, done);
}

void Server::disconnect_active(control::Done done) {
  promote({.force = true, .above = {}}, std::move(done));
}

void Server::demote(const Demotion& demotion, control::DoneWithText done) {
  when_writer_answers([this, demotion, done] { begin_demotion(demotion, done); }, done);
}

void Server::begin_demotion(const Demotion& demotion, const control::DoneWithText& done) {
  if (!demotion.active.empty()) {
    Result<void> set;
    set_active_server(demotion.active, [&set](const Result<void>& result) { set = result; });
    if (!set) return done(set.error());
  }
  if (upstreams_.active_server().empty())
    return done(control::command_error("the active server is not specified"));
  upstreams_.set_least_epoch(demotion.least_epoch);
  role_.demote({.backups = upstreams_.followers(),
                .follows = upstreams_.active_server(),
                .depose = demotion.depose,
                .successor = demotion.successor,
                .if_drained = demotion.if_drained},
               done);
}

/// Answered when the connection has shown something: scripts look at sync-status next.
void Server::connect_active(control::Done done) {
  const auto connect = [this, done] {
    upstreams_.set_least_epoch({});
    role_.demote({.backups = upstreams_.followers(),
                  .follows = upstreams_.active_server(),
                  .until_followed = true},
                 control::without_text(done));
  };
  when_writer_answers(connect, done);
}

Result<void> Server::renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) {
  return role_.renew_lease(length_ms, epoch);
}

Result<void> Server::disarm_lease() { return role_.disarm_lease(); }

void Server::depose_active() { backups_.depose_active(); }

void Server::follow(Task settled) {
  backups_.follow(upstreams_.sources(role_.backups()), std::move(settled));
}

void Server::stop_following(Task done) { backups_.stop("becoming active", std::move(done)); }

void Server::stop_following_but(const BackupSet& backups, Task done) {
  backups_.keep(upstreams_.sources(backups), "the configuration has changed", std::move(done));
}

void Server::set_active_server(const std::string& remote, control::Done done) {
  const Result<void> set = upstreams_.set_active_server(remote);
  if (set) save_state();
  done(set);
}

void Server::set_sync_exclude_tables(const std::string& list, control::Done done) {
  const Result<void> set = upstreams_.set_excluded_tables(list);
  if (!set) return done(set);
  save_state();
  if (role_.state() == RoleState::kBackup) follow(Task());
  done({});
}

void Server::set_active_probe_interval(std::int64_t milliseconds) {
  upstreams_.set_probe_ms(milliseconds);
  if (role_.state() == RoleState::kBackup) follow(Task());
}

void Server::set_listening(bool listening) { remotes_->set_active(listening); }

}  // namespace tandem
