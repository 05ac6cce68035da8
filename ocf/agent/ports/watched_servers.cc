#include "ocf/agent/ports/watched_servers.h"

#include <sys/socket.h>

#include <cerrno>

#include "ocf/agent/ports/control_request.h"

namespace tandem::agent {

void WatchedServers::connect(Which which, const std::string& socket,
                             const std::optional<ProcessInfo>& server) {
  Held& held = held_[which];
  if (held.fd) return;
  if (open_control_socket(socket, held.fd) != 0) return;
  held.monitor = server ? monitor_of(*server) : std::nullopt;
}

void WatchedServers::add_to(std::vector<pollfd>& polled) const {
  for (const Which which : kBoth) {
    if (held_[which].fd) polled.push_back({held_[which].fd.get(), POLLIN, 0});
  }
}

/// The server says nothing on a connection where nothing is asked: what can be read is its end. It
/// may end the connection to make room, too; the caller finds the server alive then.
bool WatchedServers::Held::is_lost() const {
  if (!fd) return true;
  char byte = 0;
  const ssize_t size = ::recv(fd.get(), &byte, 1, MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

std::optional<Answer> WatchedServers::look() {
  bool lost = false;
  bool monitored = true;
  for (const Which which : kBoth) {
    Held& held = held_[which];
    if (!held.is_lost()) continue;
    lost = true;
    const auto monitor = held.monitor ? process_info(*held.monitor) : std::nullopt;
    if (!monitor || monitor->state == 'Z') monitored = false;
    held = {};
  }
  if (!lost) return std::nullopt;
  return Answer{Answer::Outcome::kDone, monitored ? "monitored" : "", {}};
}

}  // namespace tandem::agent
