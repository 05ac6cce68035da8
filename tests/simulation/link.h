#pragma once

#include <memory>
#include <string>
#include <utility>

#include "protocol/json_parser.h"
#include "replication/active_link.h"
#include "server/session/client_hub.h"
#include "server/session/session.h"
#include "tests/simulation/world.h"

namespace tandem::simulation {

/// A connection from a backup's link to a session on another node. Messages arrive in order, after
/// a delay; it may stall for a while, lose one direction, or break, and then each end learns of it
/// in its own time: the active may hear of the next connection before the end of this one.
class Wire : public std::enable_shared_from_this<Wire>, private ConnectionPort {
 public:
  /// A `plain` one is to a server that knows no more than RFC 7047.
  Wire(World& world, ActiveLink& link, ClientHub& hub, Shard& shard, bool plain)
      : world_(world), link_(&link), shard_(shard), plain_(plain) {
    info_.name = "wire";
    session_ = hub.make_session(*this);
  }

  void open() { link_->on_connected(); }
  /// From the backup to the active.
  void send_up(std::string text) {
    deliver(up_ms_, loses_up_, [text = std::move(text)](Wire& wire) { wire.take_up(text); });
  }
  void stall(std::int64_t ms) { stalled_ms_ = world_.now_ms() + ms; }
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
  /// The process at that end is gone.
  void forget_link() { link_ = nullptr; }
  void forget_session() { session_.reset(); }
  bool is_closed() const { return link_ == nullptr || closed_; }

 private:
  void send(SharedText text) override {
    deliver(down_ms_, loses_down_, [text](Wire& wire) {
      if (wire.link_ != nullptr && !wire.closed_) wire.link_->on_message(parse(*text));
    });
  }
  void send(std::unique_ptr<TextSource> source) override {
    std::string whole;
    while (const SharedText piece = source->next()) whole += *piece;
    send(std::make_shared<const std::string>(std::move(whole)));
  }
  std::size_t queued_bytes() const override { return 0; }
  bool is_behind() const override { return false; }
  void set_reading(bool) override {}
  void close(std::string) override { cut(); }
  /// The backup's connection answers by itself.
  void challenge() override {
    deliver(down_ms_, loses_down_, [](Wire& wire) {
      wire.deliver(wire.up_ms_, wire.loses_up_, [](Wire& answered) {
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
    if (session_ == nullptr) return;
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
  template <class F>
  void deliver(std::int64_t& last_ms, bool lost, F&& f) {
    if (cut_ || lost) return;
    last_ms = std::max({last_ms, world_.now_ms() + delay(), stalled_ms_});
    world_.at(last_ms, [self = shared_from_this(), f = std::forward<F>(f)] {
      if (!self->cut_) f(*self);
    });
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
  ActiveLink* link_;
  Shard& shard_;
  const bool plain_;
  ConnectionInfo info_;
  std::unique_ptr<ConnectionHandler> session_;
  std::int64_t up_ms_ = 0, down_ms_ = 0, stalled_ms_ = 0;
  bool loses_up_ = false, loses_down_ = false;
  bool cut_ = false;
  bool closed_ = false;
};

}  // namespace tandem::simulation
