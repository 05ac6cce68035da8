// Changes of role by control commands: the server that this one follows goes with them.

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
  if (active_server_.empty())
    return done(control::command_error("the active server is not specified"));
  least_epoch_ = demotion.least_epoch;
  role_.demote({.backups = followers_set(),
                .follows = active_server_,
                .depose = demotion.depose,
                .successor = demotion.successor,
                .if_drained = demotion.if_drained},
               done);
}

/// Answered when the connection has shown something: scripts look at sync-status next.
void Server::connect_active(control::Done done) {
  const auto connect = [this, done] {
    least_epoch_ = {};
    role_.demote({.backups = followers_set(), .follows = active_server_, .until_followed = true},
                 control::without_text(done));
  };
  when_writer_answers(connect, done);
}

Result<void> Server::renew_lease(std::int64_t length_ms, std::optional<Epoch> epoch) {
  return role_.renew_lease(length_ms, epoch);
}

Result<void> Server::disarm_lease() { return role_.disarm_lease(); }

void Server::depose_active() {
  for (const std::unique_ptr<BackupService>& service : services_) service->depose_active();
}

void Server::set_listening(bool listening) { remotes_->set_active(listening); }

}  // namespace tandem
