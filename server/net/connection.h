#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/framer.h"
#include "server/logging/log.h"
#include "server/net/io_shard.h"
#include "server/net/probe.h"
#include "server/net/stream.h"
#include "server/net/tls_context.h"
#include "server/session/connection_port.h"
#include "server/session/session_limits.h"

namespace tandem::net {

struct ConnectionLimits {
  std::size_t max_message_bytes = std::size_t{1} << 30;
  /// The same until a message of a peer without a certificate was whole and valid, if that is less.
  std::size_t first_message_bytes = static_cast<std::size_t>(-1);
  /// Over this many bytes in the queue, nothing more is read from the peer and the session should
  /// stop sending;
  std::size_t high_mark = std::size_t{1} << 20;
  /// at this many both go on.
  std::size_t low_mark = std::size_t{128} << 10;
  LimitCountsRef counts = nullptr;  ///< of limits that were met; may be null
};

/// Those of a client.
ConnectionLimits connection_limits(const SessionLimits& limits, LimitCountsRef counts);

/// How a connection came to its end.
struct ConnectionEnding {
  bool opened = false;        ///< the handshake was completed
  std::int64_t lived_ms = 0;  ///< since then
  std::string reason;
};

struct ConnectionOptions {
  ConnectionInfo info;  ///< peer_id is found out
  bool active =
      false;  ///< we connected: normal events are logged at INFO rather than DBG; TLS as a client
  std::int64_t probe_ms = 5000;  ///< see Probe
  ConnectionLimits limits;
  HandlerFactory make_handler;
  std::function<void()> on_opened;  ///< may be empty
  /// The last thing that happens, exactly once; may destroy the connection.
  std::function<void(const ConnectionEnding&)> on_ended;
};

/// One JSON-RPC connection over any stream: cuts what arrives into messages, queues and gathers
/// what leaves, answers and sends echo requests, and bounds both directions. Belongs to the shard's
/// thread. Whoever made it destroys it: once it has ended, or after the shard has stopped (the
/// handler then goes without on_closed()).
class Connection final : public ConnectionPort,
                         private FdListener,
                         private Deferred,
                         private WheelTimer {
 public:
  Connection(IoShard& shard, ConnectionOptions options);
  ~Connection() override;

  /// Takes a connected socket over. `tls` is null for plain connections, and must outlive this one
  /// otherwise.
  void start(UniqueFd fd, TlsContext* tls);
  /// What may change while a connection lives.
  void reconfigure(const std::string& role, bool read_only, std::int64_t probe_ms);

  void send(SharedText text) override;
  void send(std::unique_ptr<TextSource> source) override;
  using ConnectionPort::send;
  std::size_t queued_bytes() const override { return queued_bytes_; }
  bool is_behind() const override { return behind_ || over_high_mark_; }
  void set_reading(bool enabled) override;
  void close(std::string reason) override;
  void challenge() override;
  const ConnectionInfo& info() const override { return options_.info; }
  Shard& shard() override { return shard_; }

 private:
  enum class State : std::uint8_t {
    kNew,          ///< no stream yet
    kHandshaking,  ///< TLS is being set up; no handler yet
    kOpen,         ///< messages flow
    kClosing,      ///< finish() is posted; nothing is sent or received any more
    kClosed,       ///< handler and stream are gone
  };

  // Events.
  void on_readable() override;
  void on_writable() override;
  void on_timer(std::int64_t now_ms) override;
  void run_deferred() override;

  void shake_hands();
  void open();

  bool may_read() const { return reading_ && !over_high_mark_; }
  void read_input();
  void take_input(std::string_view input);
  void take_message(json::value value);

  /// What is to leave: a text, or what makes more of them.
  struct Outgoing {
    SharedText text;
    std::unique_ptr<TextSource> source;  ///< unless there is a text
  };
  void write_queue();
  /// Puts texts from the source at the queue's front before it. False if it had none this time.
  bool pull_source(std::chrono::steady_clock::time_point until);
  /// What a source counts in queued_bytes(): over the high mark.
  std::size_t source_bytes() const { return options_.limits.high_mark + 1; }
  void drop_written(std::size_t bytes);
  void after_write();
  void log_sent(const std::string& text);

  void check_probe(std::int64_t now_ms);
  void arm_timer(std::int64_t at_ms);

  void fail(const IoResult& result);
  void fail_protocol(const std::string& details);
  void fail_size();
  void count(Limit limit);
  void begin_closing(std::string reason, log::Level level, const std::string& message);
  void finish();

  IoShard& shard_;
  ConnectionOptions options_;
  State state_ = State::kNew;
  std::unique_ptr<Stream> stream_;
  int socket_ = -1;  ///< the stream's
  std::unique_ptr<ConnectionHandler> handler_;
  Framer framer_;
  std::unique_ptr<Framer> sent_framer_;  ///< only while what is sent is logged
  Probe probe_;
  std::int64_t opened_ms_ = 0;
  bool challenged_ = false;  ///< the answer is awaited
  bool knows_peer_ = false;  ///< a message was valid, or we know whom we talk to
  LimitsMet limits_met_;

  std::deque<Outgoing> queue_;
  std::size_t front_written_ = 0;  ///< of queue_.front().text
  std::size_t queued_bytes_ = 0;
  bool write_waits_ = false;  ///< for on_writable()
  bool over_high_mark_ = false;
  bool behind_ = false;  ///< what is queued waits for the socket

  bool reading_ = true;         ///< as the handler wants it
  bool input_stopped_ = false;  ///< may_read() was false when there was more to read
  std::string rest_;            ///< input that had been read when it stopped
  std::string reason_;          ///< of the closing
};

}  // namespace tandem::net
