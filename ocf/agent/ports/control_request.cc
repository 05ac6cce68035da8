#include "ocf/agent/ports/control_request.h"

#include <fmt/core.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "protocol/json/value.h"
#include "protocol/jsonrpc.h"
#include "server/posix/unix_socket.h"

namespace tandem::agent {

namespace {

constexpr std::size_t kMaxAnswerBytes = 64U << 20U;

Answer not_there(int error) { return {Answer::Outcome::kNotThere, std::strerror(error), {}}; }

}  // namespace

int open_control_socket(const std::string& path, UniqueFd& fd) {
  UniqueFd socket = make_socket(AF_UNIX);
  if (!socket) return errno;
  if (const int error = connect_unix(socket.get(), path); error != 0) return error;
  fd = std::move(socket);
  return 0;
}

ControlRequest::ControlRequest(std::string socket, const AskServer& ask)
    : socket_(std::move(socket)),
      unsent_(make_request(ask.command, to_text(Json(ask.arguments)), JsonId(0))),
      framer_(kMaxAnswerBytes) {}

void ControlRequest::add_to(std::vector<pollfd>& polled) const {
  if (!fd_) return;
  const int events = state_ == State::kSending ? POLLOUT : POLLIN;
  polled.push_back({fd_.get(), static_cast<short>(events), 0});
}

std::optional<Answer> ControlRequest::go_on() {
  switch (state_) {
    case State::kConnecting:
      return connect();
    case State::kSending:
      return send();
    case State::kReceiving:
      return receive();
  }
  return std::nullopt;
}

/// The backlog of a server that hangs is full, and a unix socket tells nobody when it no longer is:
/// it is tried again.
std::optional<Answer> ControlRequest::connect() {
  const int error = open_control_socket(socket_, fd_);
  if (error == EAGAIN) return std::nullopt;
  if (error != 0) return not_there(error);
  state_ = State::kSending;
  return send();
}

std::optional<Answer> ControlRequest::send() {
  while (!unsent_.empty()) {
    const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      unsent_.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      return std::nullopt;
    } else {
      return not_there(errno);
    }
  }
  state_ = State::kReceiving;
  return std::nullopt;
}

std::optional<Answer> ControlRequest::receive() {
  for (;;) {
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
    if (size <= 0) return not_there(size < 0 ? errno : ECONNRESET);
    std::string_view input(buffer.data(), static_cast<std::size_t>(size));
    auto value = framer_.next(input);
    if (value.has_error()) return not_there(EBADMSG);
    if (!*value) continue;
    auto message = JsonRpcMessage::from_json(std::move(**value));
    if (message.has_error()) return not_there(EBADMSG);
    const bool is_error = message->kind == JsonRpcMessage::Kind::kError;
    return Answer{
        is_error ? Answer::Outcome::kRefused : Answer::Outcome::kDone, message->answer_text(), {}};
  }
}

}  // namespace tandem::agent
