#include "server/net/connection.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "protocol/json/json_text.h"
#include "server/logging/event_count.h"
#include "server/logging/rate_limit.h"
#include "server/net/socket_address.h"

namespace tandem::net {

namespace {

log::Module jsonrpc("jsonrpc");
log::Module reconnect("reconnect");
log::Module stream_ssl("stream_ssl");
EventCount messages_received("jsonrpc_received");
EventCount probes_failed("reconnect_probe_failed");

using Status = IoResult::Status;

constexpr std::int64_t kHandshakeTimeoutMs = 10'000;
/// What one client does wrong, thousands may: so many warnings of a kind.
constexpr unsigned kLinesAMinute = 60;
constexpr unsigned kLinesAtOnce = 30;
/// How a client begins that takes us for a TLS server (RFC 8446 section 5.1).
constexpr std::string_view kTlsHandshake = "\x16\x03";

const SharedText& echo_request() {
  static const SharedText text =
      std::make_shared<const std::string>(make_request("echo", "[]", JsonId::of_string("echo")));
  return text;
}

/// The id of a challenge's echo, which no answer to an earlier probe has.
constexpr std::string_view kChallenge = "challenge";

bool has_id(const JsonRpcMessage& message, std::string_view id) {
  return message.id == JsonId::of_string(id);
}

}  // namespace

Connection::Connection(IoShard& shard, ConnectionOptions options)
    : shard_(shard),
      options_(std::move(options)),
      framer_(options_.limits.max_message_bytes),
      sent_log_(options_.limits.max_message_bytes),
      probe_(options_.probe_ms, IoShard::now_ms()),
      queue_(shard_, options_.limits.high_mark + 1) {}

Connection::~Connection() = default;

void Connection::start(UniqueFd fd, TlsContext* tls) {
  state_ = State::kHandshaking;
  socket_ = fd.get();
  keep_alive();
  if (tls == nullptr) {
    stream_ = make_plain_stream(shard_, std::move(fd), *this);
  } else {
    const auto side = options_.active ? TlsContext::Side::kClient : TlsContext::Side::kServer;
    stream_ = tls->make_stream(shard_, std::move(fd), *this, side, options_.info.name);
    arm_timer(IoShard::now_ms() + kHandshakeTimeoutMs);
  }
  shake_hands();
}

void Connection::reconfigure(const std::string& role, bool read_only, std::int64_t probe_ms) {
  options_.info.role = role;
  options_.info.read_only = read_only;
  probe_.set_interval(probe_ms);
  if (stream_ != nullptr) keep_alive();
  if (state_ == State::kOpen && !ending_) arm_timer(probe_.deadline_ms());
}

void Connection::keep_alive() {
  keep_tcp_alive(socket_, options_.keepalive_ms.value_or(probe_.interval_ms()));
}

void Connection::shake_hands() {
  const IoResult result = stream_->handshake();
  switch (result.status) {
    case Status::kDone:
      open();
      break;
    case Status::kWouldBlock:
      stream_->wait_readable();
      break;
    case Status::kEnd:
    case Status::kFailed:
      fail(result);
      break;
  }
}

void Connection::open() {
  state_ = State::kOpen;
  opened_ms_ = IoShard::now_ms();
  options_.info.peer_id = stream_->peer_id();
  knows_peer_ = options_.active || !options_.info.peer_id.empty();
  if (!knows_peer_) {
    framer_.set_max_bytes(
        std::min(options_.limits.first_message_bytes, options_.limits.max_message_bytes));
  }
  if (options_.active) {
    reconnect.info("{}: connected", options_.info.name);
  } else {
    reconnect.dbg("{}: connected", options_.info.name);
  }
  probe_.heard(opened_ms_);
  arm_timer(probe_.deadline_ms());
  handler_ = options_.make_handler(*this);
  if (options_.on_opened) options_.on_opened();
  if (handler_ == nullptr) close("");
  if (state_ == State::kOpen) read_input();
}

void Connection::on_readable() {
  switch (state_) {
    case State::kHandshaking:
      shake_hands();
      break;
    case State::kOpen:
      if (!input_stopped_ && !ending_) read_input();  // else run_deferred() does, after the rest
      break;
    case State::kNew:
    case State::kClosing:
    case State::kClosed:
      break;
  }
}

void Connection::read_input() {
  const std::span<char> buffer = shard_.scratch();
  for (std::size_t taken = 0; taken < kBytesPerTurn;) {
    if (!may_read()) {
      input_stopped_ = true;
      return;
    }
    const IoResult result = stream_->read(buffer);
    switch (result.status) {
      case Status::kDone:
        break;
      case Status::kWouldBlock:
        stream_->wait_readable();
        return;
      case Status::kEnd:
        end_of_input(result);
        return;
      case Status::kFailed:
        fail(result);
        return;
    }
    probe_.heard(IoShard::now_ms());
    std::string_view input(buffer.data(), result.bytes);
    take_input(input);
    if (state_ != State::kOpen || ending_) return;
    if (input_stopped_) rest_.assign(input);
    if (result.bytes < buffer.size()) break;
    taken += result.bytes;
  }
  // Short of the budget the socket was empty; else this re-arms, and others have their turn.
  if (!input_stopped_) stream_->wait_readable();
}

void Connection::take_rest() {
  input_stopped_ = false;
  std::string_view rest = std::string_view(rest_).substr(rest_taken_);
  take_input(rest);
  rest_taken_ = rest_.size() - rest.size();
  if (state_ != State::kOpen || ending_ || input_stopped_) return;
  rest_ = {};
  rest_taken_ = 0;
  read_input();
}

void Connection::take_input(std::string_view& input) {
  while (!input.empty()) {
    if (!may_read()) {
      input_stopped_ = true;
      return;
    }
    Result<std::optional<JsonDocument>> value = framer_.next(input);
    if (framer_.is_too_long()) return fail_size();
    if (!value) {
      return fail_protocol(input.starts_with(kTlsHandshake)
                               ? "received SSL data on JSON-RPC channel"
                               : "error parsing stream: " + value.error().details);
    }
    if (!*value) return;
    take_message(std::move(**value));
    if (state_ != State::kOpen || ending_) return;
  }
}

void Connection::take_message(JsonDocument document) {
  using Kind = JsonRpcMessage::Kind;
  Result<JsonRpcMessage> message = JsonRpcMessage::from_json(std::move(document));
  messages_received.add();
  if (!message) return fail_protocol("received bad JSON-RPC message: " + message.error().details);
  if (!std::exchange(knows_peer_, true)) framer_.set_max_bytes(options_.limits.max_message_bytes);
  message->bytes = framer_.message_bytes();
  if (jsonrpc.enabled(log::Level::kDbg))
    jsonrpc.dbg("{}: received {}", options_.info.name, describe(*message));
  if (message->kind == Kind::kRequest && message->method == "echo") {
    auto answer = std::make_unique<JsonText>(begin_reply(message->id), std::move(message->document),
                                             message->params, "}");
    send(answer->next());
    if (!answer->ended()) send(std::move(answer));
    return;
  }
  const bool is_answer = message->kind == Kind::kReply || message->kind == Kind::kError;
  if (is_answer && has_id(*message, "echo")) return;
  if (is_answer && challenged_ && has_id(*message, kChallenge)) {
    challenged_ = false;
    return handler_->on_alive();
  }
  handler_->on_message(std::move(*message));
}

void Connection::challenge() {
  if (std::exchange(challenged_, true)) return;
  send(make_request("echo", "[]", JsonId::of_string(kChallenge)));
}

void Connection::set_reading(bool enabled) {
  reading_ = enabled;
  if (state_ == State::kOpen && input_stopped_ && may_read()) shard_.defer(*this);
}

void Connection::arm_timer(std::int64_t at_ms) {
  cancel_timer();
  if (at_ms < std::numeric_limits<std::int64_t>::max()) shard_.set_timer(*this, at_ms);
}

void Connection::on_timer(std::int64_t now_ms) {
  switch (state_) {
    case State::kHandshaking:
      if (static log::RateLimit limit(kLinesAMinute, kLinesAtOnce);
          limit.admit(stream_ssl, log::Level::kWarn)) {
        stream_ssl.warn("{}: handshake timed out", options_.info.name);
      }
      begin_closing({"handshake timed out", log::Level::kDbg, "handshake timed out"});
      break;
    case State::kOpen:
      if (ending_) {
        check_last_answers(now_ms);
      } else {
        check_probe(now_ms);
      }
      break;
    case State::kNew:
    case State::kClosing:
    case State::kClosed:
      break;
  }
}

void Connection::check_probe(std::int64_t now_ms) {
  // While the handler does not want to read, silence is not the peer's; the kernel finds out
  // whether its host is there.
  if (!reading_) probe_.heard(now_ms);
  switch (probe_.check(now_ms)) {
    case Probe::Action::kNone:
      break;
    case Probe::Action::kSendEcho:
      reconnect.dbg("{}: idle {} ms, sending inactivity probe", options_.info.name,
                    probe_.interval_ms());
      send(echo_request());
      break;
    case Probe::Action::kDisconnect:
      // If it was us who were busy, the answer lies in the socket.
      if (may_read() && !input_stopped_) read_input();
      if (state_ != State::kOpen || ending_) return;
      if (probe_.check(now_ms) != Probe::Action::kDisconnect) break;
      probes_failed.add();
      begin_closing(
          {"inactivity probe", log::Level::kErr,
           fmt::format("no response to inactivity probe after {:g} seconds, disconnecting",
                       static_cast<double>(probe_.interval_ms()) / 1000.0)});
      return;
  }
  arm_timer(probe_.deadline_ms());
}

}  // namespace tandem::net
