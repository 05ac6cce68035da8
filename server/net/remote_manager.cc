#include "server/net/remote_manager.h"

#include <utility>

namespace tandem::net {

RemoteManager::RemoteManager(IoShard& home, std::vector<IoShard*> shards, TlsContext& tls,
                             HandlerFactory make_handler, ConnectionLimits limits)
    : context_{home,
               [this]() -> IoShard& { return *shards_[next_shard_++ % shards_.size()]; },
               tls,
               std::move(make_handler),
               std::move(limits),
               [this] { context_.home.defer(*this); }},
      shards_(std::move(shards)),
      address_watch_(home, [this] {
        for (const auto& [target, remote] : remotes_) remote->retry_listening();
      }) {}

RemoteManager::~RemoteManager() = default;

void RemoteManager::configure(const std::vector<RemoteSpec>& remotes) {
  std::map<std::string, const RemoteSpec*> wanted;
  // Of the same target twice the first counts: those from databases, which have options.
  for (const RemoteSpec& spec : remotes) wanted.try_emplace(spec.target.text, &spec);

  // What goes, goes first: it may be in the way of what comes.
  for (auto it = remotes_.begin(); it != remotes_.end();) {
    const auto current = it++;
    if (!wanted.contains(current->first)) retire(current, "remote removed");
  }
  for (const auto& [target, spec] : wanted) {
    const auto [it, is_new] = remotes_.try_emplace(target);
    if (is_new) {
      it->second = std::make_unique<Remote>(context_, *spec);
      it->second->open();
    } else if (it->second->options() != spec->options) {
      it->second->reconfigure(spec->options);
    }
  }
}

void RemoteManager::retire(std::map<std::string, std::unique_ptr<Remote>>::iterator remote,
                           const std::string& reason) {
  remote->second->close(reason);
  retired_.push_back(std::move(remote->second));
  remotes_.erase(remote);
  context_.home.defer(*this);
}

std::vector<RemoteStatus> RemoteManager::statuses() const {
  std::vector<RemoteStatus> statuses;
  const std::int64_t now_ms = IoShard::now_ms();
  for (const auto& [target, remote] : remotes_) statuses.push_back(remote->status(now_ms));
  return statuses;
}

void RemoteManager::disconnect_all(const std::string& reason) {
  for (const auto& [target, remote] : remotes_) remote->disconnect(reason);
}

void RemoteManager::shut_down(const std::string& reason, Task done) {
  shut_down_done_ = std::move(done);
  while (!remotes_.empty()) retire(remotes_.begin(), reason);
  context_.home.defer(*this);
}

void RemoteManager::run_deferred() {
  // Not at once: remotes say from within themselves that they are idle.
  std::erase_if(retired_, [](const std::unique_ptr<Remote>& remote) { return remote->is_idle(); });
  if (retired_.empty() && shut_down_done_) context_.home.post(std::exchange(shut_down_done_, {}));
}

}  // namespace tandem::net
