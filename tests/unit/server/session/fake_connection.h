#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/session/connection_port.h"
#include "tests/support/fake_runner.h"

namespace tandem {

/// A shard whose tasks run when the test says so.
class FakeShard final : public Shard {
 public:
  void post(Task task) override { runner_.post(std::move(task)); }
  bool is_current() const override { return runner_.is_current(); }
  unsigned index() const override { return 0; }
  void run() { runner_.run(); }
  bool idle() const { return runner_.idle(); }

 private:
  FakeRunner runner_;
};

/// A connection that keeps what it is given.
class FakeConnection final : public ConnectionPort {
 public:
  explicit FakeConnection(Shard& shard) : shard_(shard) {}

  using ConnectionPort::send;
  void send(SharedText text) override {
    if (!held_.empty()) {
      held_.push_back({std::move(text), nullptr});
      return;
    }
    if (text->size() > room) queued = text->size();
    sent_.push_back(std::move(text));
  }
  /// Made at once unless `holds`; one text, if there is any.
  void send(std::unique_ptr<TextSource> source) override {
    if (holds || !held_.empty()) {
      held_.push_back({nullptr, std::move(source)});
    } else {
      make(*source);
    }
  }
  std::size_t queued_bytes() const override { return queued; }
  bool is_behind() const override { return queued > 0 || !held_.empty(); }
  void set_reading(bool enabled) override { reading = enabled; }
  void close(std::string reason) override { closed = std::move(reason); }
  void end_input(std::string reason) override { end_reason = std::move(reason); }
  void close_when_sent() override { ended = true; }
  void challenge() override { ++challenges; }
  const ConnectionInfo& info() const override { return identity; }
  Shard& shard() override { return shard_; }

  /// What was sent since the last call, as texts.
  std::vector<std::string> take() {
    std::vector<std::string> texts;
    for (const SharedText& text : std::exchange(sent_, {})) texts.push_back(*text);
    return texts;
  }
  /// The same, not yet taken: to see who shares a text.
  const std::vector<SharedText>& sent() const { return sent_; }
  /// The pieces of all messages that were made piece by piece.
  const std::vector<SharedText>& pieces() const { return pieces_; }

  /// Makes what is held, in its order.
  void release() {
    for (auto& [text, source] : std::exchange(held_, {})) {
      if (text != nullptr) {
        send(std::move(text));
      } else {
        make(*source);
      }
    }
  }

  std::size_t queued = 0;                           ///< what the peer has not taken
  std::size_t room = static_cast<std::size_t>(-1);  ///< a longer text fills the socket
  bool holds = false;  ///< what is made piece by piece waits for release(), and all behind it
  bool reading = true;
  bool ended = false;  ///< close_when_sent() was called
  int challenges = 0;
  std::string closed;      ///< the reason
  std::string end_reason;  ///< of end_input()
  ConnectionInfo identity;

 private:
  void make(TextSource& source) {
    std::string whole;
    while (SharedText piece = source.next()) {
      whole += *piece;
      pieces_.push_back(std::move(piece));
    }
    if (!whole.empty()) send(std::move(whole));
  }

  Shard& shard_;
  std::deque<std::pair<SharedText, std::unique_ptr<TextSource>>> held_;
  std::vector<SharedText> sent_;
  std::vector<SharedText> pieces_;
};

}  // namespace tandem
