#pragma once

#include <optional>
#include <string>

#include "ocf/agent/decision/settings.h"
#include "ocf/agent/ports/operation.h"
#include "ocf/agent/ports/server_process.h"
#include "server/posix/unique_fd.h"

namespace tandem::agent {

/// Control connections that the keeper holds to both servers, so that it sees a death at once.
/// Lives as long as the keeper.
class WatchedServers {
 public:
  /// Connects to those that are not connected. `servers`: their processes, now.
  void connect(Which which, const std::string& socket, const std::optional<ProcessInfo>& server);
  void add_to(std::vector<pollfd>& polled) const;
  /// Whether one of them has been lost; then, whether its monitor process lives.
  std::optional<Answer> look();

 private:
  struct Held {
    UniqueFd fd;
    std::optional<pid_t> monitor;
    bool is_lost() const;
  };
  Pair<Held> held_;
};

/// One look of the keeper, until its limit.
class WatchOperation : public Operation {
 public:
  explicit WatchOperation(WatchedServers& servers) : servers_(servers) {}
  void add_to(std::vector<pollfd>& polled) const override { servers_.add_to(polled); }
  std::optional<Answer> go_on() override { return servers_.look(); }

 private:
  WatchedServers& servers_;
};

}  // namespace tandem::agent
