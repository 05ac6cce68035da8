#pragma once

#include <string>

#include "ocf/agent/ports/operation.h"
#include "protocol/framer.h"
#include "server/posix/unique_fd.h"

namespace tandem::agent {

/// A command to a server over its control socket (JSON-RPC over a unix socket).
class ControlRequest : public Operation {
 public:
  ControlRequest(std::string socket, const AskServer& ask);

  void add_to(std::vector<pollfd>& polled) const override;
  std::optional<Answer> go_on() override;

 private:
  enum class State : std::uint8_t {
    kConnecting,  ///< the server's backlog is full
    kSending,
    kReceiving,
  };

  std::optional<Answer> connect();
  std::optional<Answer> send();
  std::optional<Answer> receive();

  std::string socket_;
  std::string unsent_;
  State state_ = State::kConnecting;
  UniqueFd fd_;
  Framer framer_;
};

/// Connects to a unix socket of any length of path; 0 or an errno. EAGAIN: its backlog is full.
int open_control_socket(const std::string& path, UniqueFd& fd);

}  // namespace tandem::agent
