// Sending: the texts of a connection, and when they go.

#include <utility>

#include "server/net/connection.h"

namespace tandem::net {

namespace {

log::Module jsonrpc("jsonrpc");

using Status = IoResult::Status;

}  // namespace

void Connection::send(SharedText text) {
  if (state_ != State::kOpen || text->empty()) return;
  if (jsonrpc.enabled(log::Level::kDbg)) {
    sent_log_.add(*text, options_.info.name);
  } else {
    sent_log_.forget();
  }
  queue_.add(std::move(text));
  if (queue_.bytes() > options_.limits.high_mark && !std::exchange(over_high_mark_, true))
    count(Limit::kUnsent);
  shard_.defer(*this);
}

void Connection::send(std::unique_ptr<TextSource> source) {
  // The log shows messages in their order, whole.
  if (jsonrpc.enabled(log::Level::kDbg)) return ConnectionPort::send(std::move(source));
  if (state_ != State::kOpen) return;
  over_high_mark_ = true;
  queue_.add(std::move(source));
  shard_.defer(*this);
}

void Connection::run_deferred() {
  if (state_ != State::kOpen) return;
  if (!write_waits_) {
    write_queue();
    after_write();
  }
  if (state_ == State::kOpen && input_stopped_ && may_read()) take_rest();
}

void Connection::run_long(TimePoint until) {
  if (state_ != State::kOpen) return;
  if (!write_waits_) {
    write_queue(until);
    after_write();
  }
  if (state_ == State::kOpen && input_stopped_ && may_read()) shard_.defer(*this);
}

void Connection::on_writable() {
  write_waits_ = false;
  if (state_ != State::kOpen) return;
  // The peer has taken what had been waiting: a slow reader is alive. (What fits into the socket at
  // once says nothing.)
  taken_ms_ = IoShard::now_ms();
  probe_.heard(taken_ms_);
  write_queue();
  after_write();
}

void Connection::write_queue(std::optional<TimePoint> until) {
  for (std::size_t written = 0; !queue_.empty();) {
    if (written >= kBytesPerTurn) {
      write_waits_ = true;
      stream_->wait_writable();
      return;
    }
    if (queue_.begins_with_source()) {
      if (!until || !queue_.pull(*until)) return shard_.defer_long(*this);
      continue;
    }
    OutgoingQueue::Buffers buffers;
    const IoResult result = stream_->write(queue_.gather(buffers));
    switch (result.status) {
      case Status::kDone:
        break;
      case Status::kWouldBlock:
        write_waits_ = true;
        behind_ = true;
        stream_->wait_writable();
        return;
      case Status::kEnd:
      case Status::kFailed:
        fail(result);
        return;
    }
    queue_.drop(result.bytes);
    written += result.bytes;
  }
}

void Connection::after_write() {
  tell_of_room();
  if (state_ == State::kOpen && closes_when_sent_ && queue_.empty())
    begin_closing(std::move(*ending_));
}

void Connection::tell_of_room() {
  const bool caught_up = behind_ && queue_.empty();
  const bool below_mark = over_high_mark_ && queue_.bytes() <= options_.limits.low_mark;
  if (state_ != State::kOpen || !(caught_up || below_mark)) return;
  if (caught_up) behind_ = false;
  if (below_mark) over_high_mark_ = false;
  handler_->on_writable();
  if (state_ == State::kOpen && input_stopped_) shard_.defer(*this);
}

}  // namespace tandem::net
