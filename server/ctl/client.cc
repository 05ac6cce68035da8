#include "server/ctl/client.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "protocol/framer.h"
#include "protocol/json/value.h"
#include "protocol/jsonrpc.h"
#include "server/posix/unix_socket.h"

namespace tandem::ctl {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxAnswerBytes = 256U << 20U;

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// A connected socket whose every step ends at the deadline.
class Connection {
 public:
  explicit Connection(Clock::time_point deadline) : deadline_(deadline) {}

  /// These return 0 or an errno; ETIMEDOUT at the deadline.
  int connect(const std::string& path);
  int send(std::string_view text);
  /// Waits for bytes; none is the end of the stream.
  int receive(std::string& bytes);

 private:
  int wait_for(short events) const;

  UniqueFd fd_;
  Clock::time_point deadline_;
};

int Connection::connect(const std::string& path) {
  fd_ = make_socket(AF_UNIX);
  if (!fd_) return errno;
  for (;;) {
    const int error = connect_unix(fd_.get(), path);
    // The backlog of a server that hangs is full, and a unix socket tells nobody when it no longer
    // is: try again.
    if (error != EAGAIN) return error;
    if (Clock::now() >= deadline_) return ETIMEDOUT;
    ::poll(nullptr, 0, 20);
  }
}

int Connection::wait_for(short events) const {
  pollfd entry{fd_.get(), events, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    if (left.count() <= 0) return ETIMEDOUT;
    const int ready =
        ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return errno;
  }
}

int Connection::send(std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return errno;
    } else if (const int error = wait_for(POLLOUT); error != 0) {
      return error;
    }
  }
  return 0;
}

int Connection::receive(std::string& bytes) {
  for (;;) {
    if (const int error = wait_for(POLLIN); error != 0) return error;
    std::array<char, 65536> buffer{};
    const ssize_t size = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      bytes.assign(buffer.data(), static_cast<std::size_t>(size));
      return 0;
    }
    if (errno != EAGAIN && errno != EINTR) return errno;
  }
}

Result<Answer> read_answer(Connection& connection, const std::string& socket) {
  Framer framer(kMaxAnswerBytes);
  std::string bytes;
  for (;;) {
    if (const int error = connection.receive(bytes); error == ETIMEDOUT) {
      return failure(fmt::format("{}: no answer in time", socket));
    } else if (error != 0 || bytes.empty()) {
      return failure(fmt::format("{}: connection lost ({})", socket,
                                 error != 0 ? std::strerror(error) : "End of file"));
    }
    std::string_view input = bytes;
    auto value = framer.next(input);
    if (value.has_error()) return value.error();
    if (!*value) continue;
    auto message = JsonRpcMessage::from_json(std::move(**value));
    if (message.has_error()) return message.error();
    const bool is_error = message->kind == JsonRpcMessage::Kind::kError;
    return Answer{message->answer_text(), is_error};
  }
}

}  // namespace

Result<Answer> run_command(const std::string& socket, const std::string& command,
                           const std::vector<std::string>& arguments,
                           std::chrono::milliseconds timeout) {
  Connection connection(Clock::now() + timeout);
  if (const int error = connection.connect(socket); error != 0) {
    return failure(fmt::format("cannot connect to \"{}\" ({})", socket, std::strerror(error)));
  }
  const std::string request = make_request(command, to_text(Json(arguments)), JsonId(0));
  if (const int error = connection.send(request); error != 0) {
    return failure(fmt::format("{}: cannot send the command ({})", socket, std::strerror(error)));
  }
  return read_answer(connection, socket);
}

}  // namespace tandem::ctl
