#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocol/json/json_reader.h"
#include "server/session/client_hub.h"
#include "server/session/session.h"
#include "tests/simulation/simulated_shard.h"

namespace tandem::simulation {

/// The backup's end of a wire.
class LinkEnd {
 public:
  virtual ~LinkEnd() = default;
  virtual void on_connected() = 0;
  virtual void on_message(const JsonRpcMessage& message) = 0;
  virtual void on_disconnected(const std::string& reason) = 0;
};

/// A connection from a backup's link to a session on another node. Messages arrive in order, after
/// a delay; it may stall for a while, lose one direction, or break, and then each end learns of it
/// in its own time: the active may hear of the next connection before the end of this one.
class Wire : public std::enable_shared_from_this<Wire>, private ConnectionPort {
 public:
  /// A `plain` one is to a server that knows no more than RFC 7047.
  Wire(World& world, LinkEnd& link, const SimulatedShard& link_shard, ClientHub& hub,
       SimulatedShard& shard, bool plain)
      : world_(world), link_(&link), link_shard_(link_shard), shard_(shard), plain_(plain) {
    info_.name = "wire";
    session_ = hub.make_session(*this);
  }

  void open() { link_->on_connected(); }
  /// From the backup to the active.
  void send_up(std::string text) {
    deliver(true, [text = std::move(text)](Wire& wire) { wire.take_up(text); });
  }
  /// The socket takes no more for so long: what waits for room in its queue comes behind answers.
  void stall(std::int64_t ms) {
    stalled_ms_ = world_.now_ms() + ms;
    world_.at(stalled_ms_, [self = shared_from_this()] {
      if (!self->is_full() && self->session_ != nullptr) self->session_->on_writable();
    });
  }
  /// Nothing arrives in that direction any more, until a probe of one end finds out.
  void lose(bool up) {
    (up ? loses_up_ : loses_down_) = true;
    world_.after(1000 + world_.ms(4000), [self = shared_from_this()] { self->cut(); });
  }
  /// Both ends are told, later, those that are still there.
  void cut() {
    if (std::exchange(cut_, true)) return;
    const auto self = shared_from_this();
    world_.after(world_.chance(20) ? world_.ms(5000) : delay(), [self] { self->close_up(); });
    world_.after(delay(), [self] { self->close_down(); });
  }
  /// The backup closes it: what it has sent arrives before that.
  void close_link() {
    link_ = nullptr;
    deliver(true, [](Wire& wire) { wire.cut(); });
  }
  /// The process at that end is gone.
  void forget_session() { session_.reset(); }
  bool is_closed() const { return link_ == nullptr || closed_; }

 private:
  void send(SharedText text) override {
    deliver(false, [text](Wire& wire) {
      if (wire.link_ != nullptr && !wire.closed_) wire.link_->on_message(parse(*text));
    });
  }
  void send(std::unique_ptr<TextSource> source) override {
    std::string whole;
    while (const SharedText piece = source->next()) whole += *piece;
    send(std::make_shared<const std::string>(std::move(whole)));
  }
  std::size_t queued_bytes() const override { return is_full() ? std::size_t{2} << 20 : 0; }
  bool is_behind() const override { return false; }
  void set_reading(bool) override {}
  void close(std::string) override { cut(); }
  void end_input(std::string) override {
    input_ended_ = true;
    world_.after(5000, [self = shared_from_this()] { self->cut(); });
  }
  void close_when_sent() override { cut(); }
  /// The backup's connection answers by itself.
  void challenge() override {
    deliver(false, [](Wire& wire) {
      wire.deliver(true, [](Wire& answered) {
        if (answered.session_ != nullptr) answered.session_->on_alive();
      });
    });
  }
  const ConnectionInfo& info() const override { return info_; }
  Shard& shard() override { return shard_; }

  static JsonRpcMessage parse(const std::string& text) {
    return JsonRpcMessage::from_json(parse_json(text).value()).value();
  }
  void take_up(const std::string& text) {
    if (session_ == nullptr || input_ended_) return;
    JsonRpcMessage message = parse(text);
    if (message.method == "echo")
      return send(std::make_shared<const std::string>(make_reply(message.id, "[]")));
    if (plain_ && message.method.starts_with("tandem_")) {
      if (message.kind == JsonRpcMessage::Kind::kRequest)
        send(std::make_shared<const std::string>(
            make_error_reply(message.id, "\"unknown method\"")));
      return;
    }
    session_->on_message(std::move(message));
  }
  std::int64_t delay() { return world_.ms(20); }
  bool is_full() const { return world_.now_ms() < stalled_ms_; }
  using Message = std::function<void(Wire&)>;
  void deliver(bool up, Message message) {
    if (cut_ || (up ? loses_up_ : loses_down_)) return;
    std::int64_t& last_ms = up ? up_ms_ : down_ms_;
    last_ms = std::max({last_ms, world_.now_ms() + delay(), stalled_ms_});
    world_.at(last_ms, [self = shared_from_this(), up, message = std::move(message)] {
      if (!self->cut_) self->arrive(up, message);
    });
  }
  /// A process that is stopped reads later.
  void arrive(bool up, const Message& message) {
    std::vector<Message>& unread = up ? unread_up_ : unread_down_;
    if (unread.empty() && !is_stopped(up)) return message(*this);
    unread.push_back(message);
    if (unread.size() == 1) read_later(up);
  }
  void read_later(bool up) {
    world_.after(20, [self = shared_from_this(), up] {
      if (self->cut_) return;
      if (self->is_stopped(up)) return self->read_later(up);
      std::vector<Message>& unread = up ? self->unread_up_ : self->unread_down_;
      for (const Message& message : std::exchange(unread, {})) {
        if (!self->cut_) message(*self);
      }
    });
  }
  bool is_stopped(bool up) const {
    return up ? session_ != nullptr && shard_.is_stopped()
              : link_ != nullptr && link_shard_.is_stopped();
  }
  void close_up() {
    if (session_ != nullptr) session_->on_closed("cut");
    session_.reset();
  }
  void close_down() {
    closed_ = true;
    if (link_ != nullptr) link_->on_disconnected("cut");
    link_ = nullptr;
  }

  World& world_;
  LinkEnd* link_;
  const SimulatedShard& link_shard_;
  SimulatedShard& shard_;
  const bool plain_;
  ConnectionInfo info_;
  std::unique_ptr<ConnectionHandler> session_;
  std::int64_t up_ms_ = 0, down_ms_ = 0, stalled_ms_ = 0;
  std::vector<Message> unread_up_, unread_down_;
  bool loses_up_ = false, loses_down_ = false;
  bool cut_ = false;
  bool input_ended_ = false;  ///< the session takes nothing more
  bool closed_ = false;
};

}  // namespace tandem::simulation
