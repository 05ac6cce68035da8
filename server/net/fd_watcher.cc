#include "server/net/fd_watcher.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "server/net/io_shard.h"

namespace tandem::net {

using boost::asio::posix::stream_descriptor;

struct FdWatcher::State : std::enable_shared_from_this<State> {
  State(IoShard& home, UniqueFd fd, FdListener& owner)
      : shard(home), descriptor(home.context()), unwatched(std::move(fd)), listener(&owner) {
    watch();
  }

  /// False at the kernel's limit of watches. The descriptor stays ours then, or its number would
  /// become somebody else's while the listener still reads from it.
  bool watch() {
    boost::system::error_code error;
    descriptor.assign(unwatched.get(), error);
    if (!error) unwatched.release();
    return !error;
  }

  void wait(stream_descriptor::wait_type what, bool& waiting, void (FdListener::*callback)()) {
    if (waiting || (!descriptor.is_open() && !unwatched)) return;
    waiting = true;
    auto ready = [self = shared_from_this(), &waiting, callback](boost::system::error_code) {
      waiting = false;
      if (self->listener == nullptr) return;
      self->shard.run_turn([&] { (self->listener->*callback)(); });
    };
    if (!unwatched || watch()) {
      descriptor.async_wait(what, std::move(ready));
      return;
    }
    // Looked at now and then, until it can be watched.
    const auto timer = std::make_shared<boost::asio::steady_timer>(descriptor.get_executor(),
                                                                   std::chrono::seconds(1));
    timer->async_wait([timer, ready = std::move(ready)](boost::system::error_code error) mutable {
      ready(error);
    });
  }

  IoShard& shard;
  stream_descriptor descriptor;
  UniqueFd unwatched;    ///< the descriptor, as long as the kernel does not watch it
  FdListener* listener;  ///< null once the watcher is gone
  bool read_wait = false;
  bool write_wait = false;
};

FdWatcher::FdWatcher(IoShard& shard, UniqueFd fd, FdListener& listener)
    : fd_(fd.get()), state_(std::make_shared<State>(shard, std::move(fd), listener)) {}

FdWatcher::~FdWatcher() {
  state_->listener = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
  state_->unwatched = UniqueFd();
}

void FdWatcher::wait_readable() {
  state_->wait(stream_descriptor::wait_read, state_->read_wait, &FdListener::on_readable);
}

void FdWatcher::wait_writable() {
  state_->wait(stream_descriptor::wait_write, state_->write_wait, &FdListener::on_writable);
}

UniqueFd FdWatcher::release() {
  if (state_->unwatched) return std::move(state_->unwatched);
  return state_->descriptor.is_open() ? UniqueFd(state_->descriptor.release()) : UniqueFd();
}

}  // namespace tandem::net
