// The client's connection: slow, closed, or broken as the script says.

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/session/client.h"

namespace tandem::fuzz {
namespace {

constexpr std::size_t kHighMark = 4096, kLowMark = 512;

}  // namespace

void Client::trace(const char* direction, const std::string& text) const {
  static const bool wanted = std::getenv("TANDEM_TRACE") != nullptr;
  if (wanted) std::fprintf(stderr, "%s %s %s\n", info_.name.c_str(), direction, text.c_str());
}

void Client::schedule() {
  if (state_ != State::kOpen || std::exchange(scheduled_, true)) return;
  shard_.post([this] { work(); });
}

void Client::work() {
  scheduled_ = false;
  if (state_ != State::kOpen) return;
  if (!slow_) write(SIZE_MAX);
  read();
  close_if_sent();
}

void Client::write(std::size_t texts) {
  for (; texts > 0 && !queue_.empty(); --texts) {
    Outgoing& next = queue_.front();
    if (next.source != nullptr) {
      if (const SharedText piece = next.source->next()) {
        received(*piece);
      } else {
        queue_.pop_front();
      }
      continue;
    }
    const SharedText text = next.text;
    queue_.pop_front();
    received(*text);
  }
  const bool caught_up = behind_ && queue_.empty();
  const bool below_mark = over_high_mark_ && queued_bytes() <= kLowMark;
  if (caught_up) behind_ = false;
  if (below_mark) over_high_mark_ = false;
  if ((caught_up || below_mark) && state_ == State::kOpen) handler_->on_writable();
}

void Client::read() {
  while (state_ == State::kOpen && reading_ && !input_ended_ && !over_high_mark_ &&
         !inbox_.empty()) {
    JsonRpcMessage message = std::move(inbox_.front());
    inbox_.pop_front();
    handler_->on_message(std::move(message));
  }
}

void Client::send(SharedText text) {
  require(state_ != State::kClosed, "nothing is sent on a connection that has ended");
  if (state_ != State::kOpen || text->empty()) return;
  queue_.push_back({std::move(text), nullptr});
  if (slow_) behind_ = true;
  if (queued_bytes() > kHighMark) over_high_mark_ = true;
  schedule();
}

void Client::send(std::unique_ptr<TextSource> source) {
  require(state_ != State::kClosed, "nothing is sent on a connection that has ended");
  if (state_ != State::kOpen) return;
  queue_.push_back({nullptr, std::move(source)});
  over_high_mark_ = true;
  schedule();
}

std::size_t Client::queued_bytes() const {
  std::size_t bytes = 0;
  for (const Outgoing& outgoing : queue_)
    bytes += outgoing.text != nullptr ? outgoing.text->size() : kHighMark + 1;
  return bytes;
}

void Client::set_reading(bool enabled) {
  reading_ = enabled;
  if (enabled) schedule();
}

void Client::close(std::string reason) {
  if (state_ != State::kOpen) return;
  trace("--", "is closed: " + reason);
  if (!slow_) write(SIZE_MAX);
  state_ = State::kClosing;
  queue_.clear();
  shard_.post([this] { finish(); });
}

void Client::end_input(std::string reason) {
  if (state_ != State::kOpen || std::exchange(input_ended_, true)) return;
  trace("--", "is read no more: " + reason);
}

void Client::close_when_sent() {
  if (state_ != State::kOpen) return;  // it has gone, which its session is about to learn
  require(input_ended_, "a connection is closed by itself only when it is read no more");
  closes_when_sent_ = true;
  schedule();
}

void Client::close_if_sent() {
  if (closes_when_sent_ && queue_.empty()) close("all is sent");
}

void Client::disconnect() {
  if (state_ != State::kOpen) return;
  trace("--", "disconnects");
  state_ = State::kClosing;
  queue_.clear();
  shard_.post([this] { finish(); });
}

void Client::finish() {
  handler_->on_closed("closed");
  handler_.reset();
  state_ = State::kClosed;
  owed_.clear();
  monitors_.clear();
}

void Client::set_slow(bool slow) {
  slow_ = slow;
  if (!slow) schedule();
}

void Client::take(std::size_t texts) {
  shard_.post([this, texts] {
    if (state_ == State::kOpen) write(texts);
    if (state_ == State::kOpen) read();
    close_if_sent();
  });
}

}  // namespace tandem::fuzz
