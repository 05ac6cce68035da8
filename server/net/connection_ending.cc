// How a connection comes to its end.

#include <poll.h>

#include <utility>

#include "server/logging/event_count.h"
#include "server/logging/rate_limit.h"
#include "server/net/connection.h"

namespace tandem::net {

namespace {

log::Module jsonrpc("jsonrpc");
log::Module reconnect("reconnect");
EventCount protocol_errors("jsonrpc_protocol_error");

/// Thousands of clients may make the same mistake: so many warnings of a kind.
constexpr unsigned kLinesAMinute = 60;
constexpr unsigned kLinesAtOnce = 30;
/// Texts that are to be sent are made for so long when a connection is closed.
constexpr std::chrono::milliseconds kLastWords(4);
/// A peer that says nothing more gets answers for so long, counted from the last that it took: as
/// long as one that has vanished is kept.
constexpr std::int64_t kLastAnswersMs = 5000;

}  // namespace

void Connection::close(std::string reason) { begin_closing(ending(std::move(reason))); }

void Connection::end_input(std::string reason) {
  if (state_ == State::kOpen && !ending_) give_time_for_answers(ending(std::move(reason)));
}

void Connection::close_when_sent() {
  if (state_ != State::kOpen) return;
  closes_when_sent_ = true;
  shard_.defer(*this);  // more may be sent in this turn
}

void Connection::end_of_input(const IoResult& result) {
  // A unix socket tells a peer that is gone from one that only says nothing more.
  pollfd hung_up{socket_, 0, 0};
  if (::poll(&hung_up, 1, 0) > 0) return fail(result);
  answer_and_close(ending(result));
}

void Connection::answer_and_close(Ending ending) {
  if (!handler_->on_end_of_input()) return begin_closing(std::move(ending));
  give_time_for_answers(std::move(ending));
}

void Connection::give_time_for_answers(Ending ending) {
  ending_ = std::move(ending);
  taken_ms_ = IoShard::now_ms();
  arm_timer(taken_ms_ + kLastAnswersMs);
}

void Connection::check_last_answers(std::int64_t now_ms) {
  const std::int64_t limit_ms = taken_ms_ + kLastAnswersMs;
  if (now_ms >= limit_ms) return begin_closing(std::move(*ending_));
  arm_timer(limit_ms);
}

Connection::Ending Connection::ending(std::string reason) const {
  std::string message = reason.empty() ? "" : fmt::format("disconnecting ({})", reason);
  return {std::move(reason), options_.active ? log::Level::kInfo : log::Level::kDbg,
          std::move(message)};
}

Connection::Ending Connection::ending(const IoResult& result) const {
  const auto normal = options_.active ? log::Level::kInfo : log::Level::kDbg;
  if (result.status == IoResult::Status::kEnd)
    return {"connection closed by peer", normal, "connection closed by peer"};
  return {result.error, stream_->logs_failures() ? normal : log::Level::kWarn,
          fmt::format("connection dropped ({})", result.error)};
}

void Connection::fail_protocol(const std::string& details) {
  protocol_errors.add();
  if (static log::RateLimit limit(kLinesAMinute, kLinesAtOnce);
      limit.admit(jsonrpc, log::Level::kWarn)) {
    jsonrpc.warn("{}: {}", options_.info.name, details);
  }
  answer_and_close({"Protocol error", log::Level::kWarn, "connection dropped (Protocol error)"});
}

void Connection::fail_size() {
  protocol_errors.add();
  const bool first =
      !knows_peer_ && options_.limits.first_message_bytes < options_.limits.max_message_bytes;
  const Limit limit = first ? Limit::kFirstMessageSize : Limit::kMessageSize;
  count(limit);
  std::string details =
      fmt::format("message is longer than --{}={} bytes", option_of(limit),
                  first ? options_.limits.first_message_bytes : options_.limits.max_message_bytes);
  std::string message = fmt::format("connection dropped ({})", details);
  answer_and_close({std::move(details), log::Level::kWarn, std::move(message)});
}

void Connection::count(Limit limit) {
  if (options_.limits.counts != nullptr) options_.limits.counts->add(limit, limits_met_);
}

void Connection::begin_closing(Ending ending) {
  if (state_ == State::kClosing || state_ == State::kClosed) return;
  static log::RateLimit limit(kLinesAMinute, kLinesAtOnce);
  const auto& [reason, level, message] = ending;
  const bool everyday = level >= log::Level::kInfo;
  if (!message.empty() && reconnect.enabled(level) && (everyday || limit.admit(reconnect, level)))
    reconnect.write(level, fmt::format("{}: {}", options_.info.name, message));
  const bool was_open = state_ == State::kOpen;
  state_ = State::kClosing;
  reason_ = std::move(ending.reason);
  cancel_timer();
  if (was_open && !write_waits_) write_queue(std::chrono::steady_clock::now() + kLastWords);
  if (stream_ != nullptr) stream_->shut_down();
  shard_.post([this] { finish(); });
}

void Connection::finish() {
  if (handler_ != nullptr) handler_->on_closed(reason_);
  state_ = State::kClosed;
  cancel_deferred();  // whoever destroys the connection may do so in another thread
  handler_.reset();
  stream_.reset();
  queue_.clear();
  const ConnectionEnding ending{opened_ms_ != 0,
                                opened_ms_ == 0 ? 0 : IoShard::now_ms() - opened_ms_, reason_};
  const auto on_ended = std::move(options_.on_ended);
  if (on_ended) on_ended(ending);
}

}  // namespace tandem::net
