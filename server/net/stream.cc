#include "server/net/stream.h"

#include <sys/socket.h>

#include <cerrno>

#include "server/net/socket_address.h"

namespace tandem::net {

namespace {

IoResult result_of(ssize_t bytes) {
  if (bytes >= 0) return {IoResult::Status::kDone, static_cast<std::size_t>(bytes), {}};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
    return {IoResult::Status::kWouldBlock, 0, {}};
  return {IoResult::Status::kFailed, 0, error_text(errno)};
}

class PlainStream final : public Stream {
 public:
  PlainStream(IoShard& shard, UniqueFd fd, FdListener& listener)
      : watcher_(shard, std::move(fd), listener) {}

  IoResult handshake() override { return {}; }

  IoResult read(std::span<char> buffer) override {
    IoResult result = result_of(recv(watcher_.fd(), buffer.data(), buffer.size(), 0));
    if (result.status == IoResult::Status::kDone && result.bytes == 0)
      result.status = IoResult::Status::kEnd;
    return result;
  }

  IoResult write(std::span<const iovec> buffers) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(buffers.data());
    message.msg_iovlen = buffers.size();
    return result_of(sendmsg(watcher_.fd(), &message, MSG_NOSIGNAL));
  }

  void wait_readable() override { watcher_.wait_readable(); }
  void wait_writable() override { watcher_.wait_writable(); }
  void shut_down() override { ::shutdown(watcher_.fd(), SHUT_WR); }
  std::string peer_id() const override { return {}; }
  bool logs_failures() const override { return false; }

 private:
  FdWatcher watcher_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(IoShard& shard, UniqueFd fd, FdListener& listener) {
  return std::make_unique<PlainStream>(shard, std::move(fd), listener);
}

}  // namespace tandem::net
