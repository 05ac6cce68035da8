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
/// a delay; it may stall for a while, or break, and then each end learns of it in its own time.
class Wire : public std::enable_shared_from_this<Wire>, private ConnectionPort {
 public:
  Wire(World& world, ActiveLink& link, ClientHub& hub, Shard& shard)
      : world_(world), link_(&link), shard_(shard) {
    info_.name = "wire";
    session_ = hub.make_session(*this);
  }

  void open() { link_->on_connected(); }
  /// From the backup to the active.
  void send_up(std::string text) {
    deliver(up_ms_, [text = std::move(text)](Wire& wire) { wire.take_up(text); });
  }
  void stall(std::int64_t ms) { stalled_ms_ = world_.monotonic_ms() + ms; }
  /// Both ends are told, later, those that are still there.
  void cut() {
    if (std::exchange(cut_, true)) return;
    const auto self = shared_from_this();
    world_.after(delay(), [self] { self->close_up(); });
    world_.after(delay(), [self] { self->close_down(); });
  }
  /// The process at that end is gone.
  void forget_link() { link_ = nullptr; }
  void forget_session() { session_.reset(); }
  bool is_closed() const { return link_ == nullptr || closed_; }

 private:
  void send(SharedText text) override {
    deliver(down_ms_, [text](Wire& wire) {
      if (wire.link_ != nullptr && !wire.closed_) wire.link_->on_message(parse(*text));
    });
  }
  std::size_t queued_bytes() const override { return 0; }
  void set_reading(bool) override {}
  void close(std::string) override { cut(); }
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
    session_->on_message(std::move(message));
  }
  std::int64_t delay() { return static_cast<std::int64_t>(world_.random(20)); }
  template <class F>
  void deliver(std::int64_t& last_ms, F&& f) {
    if (cut_) return;
    last_ms = std::max({last_ms, world_.monotonic_ms() + delay(), stalled_ms_});
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
  ConnectionInfo info_;
  std::unique_ptr<ConnectionHandler> session_;
  std::int64_t up_ms_ = 0, down_ms_ = 0, stalled_ms_ = 0;
  bool cut_ = false;
  bool closed_ = false;
};

}  // namespace tandem::simulation
