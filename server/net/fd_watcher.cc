#include "server/net/fd_watcher.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "server/net/io_shard.h"

namespace tandem::net {

using boost::asio::posix::stream_descriptor;

struct FdWatcher::State : std::enable_shared_from_this<State> {
  State(IoShard& home, int fd, FdListener& owner)
      : shard(home), descriptor(home.context()), listener(&owner) {
    boost::system::error_code error;
    descriptor.assign(fd, error);
    if (error) ::close(fd);  // the kernel's limit of watches; waits then never end
  }

  void wait(stream_descriptor::wait_type what, bool& waiting, void (FdListener::*callback)()) {
    if (waiting || !descriptor.is_open()) return;
    waiting = true;
    descriptor.async_wait(
        what, [self = shared_from_this(), &waiting, callback](boost::system::error_code) {
          waiting = false;
          if (self->listener == nullptr) return;
          self->shard.run_turn([&] { (self->listener->*callback)(); });
        });
  }

  IoShard& shard;
  stream_descriptor descriptor;
  FdListener* listener;  ///< null once the watcher is gone
  bool read_wait = false;
  bool write_wait = false;
};

FdWatcher::FdWatcher(IoShard& shard, UniqueFd fd, FdListener& listener)
    : fd_(fd.get()), state_(std::make_shared<State>(shard, fd.get(), listener)) {
  fd.release();
}

FdWatcher::~FdWatcher() {
  state_->listener = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

void FdWatcher::wait_readable() {
  state_->wait(stream_descriptor::wait_read, state_->read_wait, &FdListener::on_readable);
}

void FdWatcher::wait_writable() {
  state_->wait(stream_descriptor::wait_write, state_->write_wait, &FdListener::on_writable);
}

UniqueFd FdWatcher::release() {
  return state_->descriptor.is_open() ? UniqueFd(state_->descriptor.release()) : UniqueFd();
}

}  // namespace tandem::net
