#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "server/logging/log.h"
#include "server/net/io_shard.h"
#include "server/net/message_log.h"
#include "server/net/outgoing_queue.h"
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
  bool reads_on = false;            ///< also over the high mark
};

/// Those of a client.
inline ConnectionLimits connection_limits(const SessionLimits& limits, LimitCountsRef counts) {
  return {limits.message_bytes, limits.first_message_bytes, limits.unsent_bytes,
          limits.unsent_bytes / 8, std::move(counts)};
}

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
  std::int64_t probe_ms = 5000;              ///< see Probe
  std::optional<std::int64_t> keepalive_ms;  ///< see keep_tcp_alive(); unset: as often as probes
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
  std::size_t queued_bytes() const override { return queue_.bytes(); }
  bool is_behind() const override { return behind_ || over_high_mark_; }
  void set_reading(bool enabled) override;
  void close(std::string reason) override;
  void end_input(std::string reason) override;
  void close_when_sent() override;
  void challenge() override;
  const ConnectionInfo& info() const override { return options_.info; }
  Shard& shard() override { return shard_; }

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  /// So much is read, or written, in a turn.
  static constexpr std::size_t kBytesPerTurn = 1 << 20;
  enum class State : std::uint8_t {
    kNew,          ///< no stream yet
    kHandshaking,  ///< TLS is being set up; no handler yet
    kOpen,         ///< messages flow
    kClosing,      ///< finish() is posted; nothing is sent or received any more
    kClosed,       ///< handler and stream are gone
  };

  // Events.
  void on_readable() override;
  void on_timer(std::int64_t now_ms) override;

  void shake_hands();
  void open();

  bool may_read() const {
    return reading_ && (!over_high_mark_ || options_.limits.reads_on) && !ending_;
  }
  void read_input();
  /// Handles whole messages until it may not read; leaves in `input` what it has not taken.
  void take_input(std::string_view& input);
  /// Goes on where input stopped.
  void take_rest();
  void take_message(JsonDocument document);

  void check_probe(std::int64_t now_ms);
  void arm_timer(std::int64_t at_ms);
  void keep_alive();

  // Sending (connection_sending.cc).
  void run_deferred() override;
  void run_long(TimePoint until) override;
  void on_writable() override;
  /// Sources make texts until then; without it, in a turn for long work.
  void write_queue(std::optional<TimePoint> until = {});
  void after_write();
  void tell_of_room();

  // Its end (connection_ending.cc).
  struct Ending {
    std::string reason;
    log::Level level;     ///< of this line of the log:
    std::string message;  ///< empty: none
  };
  Ending ending(std::string reason) const;
  Ending ending(const IoResult& result) const;
  void end_of_input(const IoResult& result);
  /// Nothing more is read. The peer gets the answers that it has a right to, if it takes them.
  void answer_and_close(Ending ending);
  void give_time_for_answers(Ending ending);
  /// Has the peer taken none of its last answers for too long?
  void check_last_answers(std::int64_t now_ms);
  void fail(const IoResult& result) { begin_closing(ending(result)); }
  void fail_protocol(const std::string& details);
  void fail_size();
  void count(Limit limit);
  void begin_closing(Ending ending);
  void finish();

  IoShard& shard_;
  ConnectionOptions options_;
  State state_ = State::kNew;
  std::unique_ptr<Stream> stream_;
  int socket_ = -1;  ///< the stream's
  std::unique_ptr<ConnectionHandler> handler_;
  Framer framer_;
  SentLog sent_log_;
  Probe probe_;
  std::int64_t opened_ms_ = 0;
  bool challenged_ = false;  ///< the answer is awaited
  bool knows_peer_ = false;  ///< a message was valid, or we know whom we talk to
  LimitsMet limits_met_;

  OutgoingQueue queue_;
  bool write_waits_ = false;  ///< for on_writable()
  bool over_high_mark_ = false;
  bool behind_ = false;  ///< what is queued waits for the socket

  bool reading_ = true;           ///< as the handler wants it
  bool input_stopped_ = false;    ///< may_read() was false when there was more to read
  std::string rest_;              ///< input that had been read when it stopped,
  std::size_t rest_taken_ = 0;    ///< and how much of it is done
  std::optional<Ending> ending_;  ///< nothing more is read: how it ends when answers are sent
  bool closes_when_sent_ = false;
  std::int64_t taken_ms_ = 0;  ///< when such a peer last took something
  std::string reason_;         ///< of the closing
};

}  // namespace tandem::net
