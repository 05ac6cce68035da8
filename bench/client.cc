#include "bench/client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "bench/meter.h"
#include "bench/void.h"

namespace tandem::bench {

// --- the loop ---

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

Loop::~Loop() { close(epoll_); }

void Loop::at(std::int64_t ns, std::function<void()> call) {
  timers_.push({ns, order_++, std::move(call)});
}

void Loop::turn(std::int64_t until_ns) {
  std::vector<Client*> flushing;
  flushing.swap(to_flush_);
  for (Client* client : flushing) client->flush();

  const std::int64_t next = timers_.empty() ? until_ns : std::min(until_ns, timers_.top().ns);
  const std::int64_t wait_ns = std::max<std::int64_t>(next - now_ns(), 0);
  const timespec timeout{wait_ns / 1'000'000'000, wait_ns % 1'000'000'000};
  std::array<epoll_event, 256> events;
  const int count = epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Client*>(event.data.ptr)->on_event(event.events);
  }
  while (!timers_.empty() && timers_.top().ns <= now_ns()) {
    const std::function<void()> call = timers_.top().call;
    timers_.pop();
    call();
  }
}

void Loop::run_until(const std::function<bool()>& done, double seconds, const std::string& what) {
  const std::int64_t deadline = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  while (!done()) {
    require(now_ns() < deadline, fmt::format("waited {} s in vain for {}", seconds, what));
    turn(deadline);
  }
}

void Loop::run_for(double seconds) {
  const std::int64_t deadline = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  while (now_ns() < deadline) turn(deadline);
}

// --- clients ---

namespace {

/// Shared by all clients of a thread: what is read is used at once.
thread_local std::array<char, 256 * 1024> scratch;

}  // namespace

Client::Client(Loop& loop, const Endpoint& endpoint)
    : loop_(loop), name_(endpoint.target()), fd_(endpoint.connect()) {
  if (endpoint.tls() != nullptr) {
    tls_ = SSL_new(endpoint.tls());
    SSL_set_fd(tls_, fd_);
    SSL_set_connect_state(tls_);
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  epoll_ctl(loop_.epoll_, EPOLL_CTL_ADD, fd_, &event);
}

Client::~Client() {
  std::erase(loop_.to_flush_, this);
  if (tls_ != nullptr) SSL_free(tls_);
  if (fd_ >= 0) close(fd_);
}

void Client::ended(const std::string& why) {
  if (!on_end) throw Void(fmt::format("{} has closed a connection ({})", name_, why));
  epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  close(fd_);
  fd_ = -1;
  on_end();
}

void Client::on_event(std::uint32_t events) {
  if (fd_ < 0) return;
  if ((events & EPOLLOUT) != 0) flush();
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read();
}

std::ptrdiff_t Client::receive(char* buffer, std::size_t size) {
  if (tls_ == nullptr) return recv(fd_, buffer, size, 0);
  const int got = SSL_read(tls_, buffer, static_cast<int>(size));
  if (got > 0) return got;
  const int error = SSL_get_error(tls_, got);
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}

std::ptrdiff_t Client::transmit(std::string_view text) {
  if (tls_ == nullptr) return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
  const int put = SSL_write(tls_, text.data(), static_cast<int>(text.size()));
  if (put > 0) return put;
  const int error = SSL_get_error(tls_, put);
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}

void Client::read() {
  for (std::size_t taken = 0; taken < scratch.size();) {
    const std::ptrdiff_t got = receive(scratch.data(), scratch.size());
    if (got == 0) return ended("end of stream");
    if (got < 0) {
      if (errno != EAGAIN && errno != EINTR) ended(std::strerror(errno));
      break;
    }
    const auto bytes = static_cast<std::size_t>(got);
    bytes_in_ += bytes;
    taken += bytes;
    take({scratch.data(), bytes});
    // TLS keeps what it has deciphered: go on until it has nothing more.
    if (tls_ == nullptr && bytes < scratch.size()) break;
    if (tls_ != nullptr) taken = 0;
  }
  if (tls_ != nullptr && !out_.empty() && !waits_writable_) flush();
}

void Client::take(std::string_view input) {
  while (!input.empty()) {
    const std::size_t end = scanner_.end_of_object(input);
    if (end == std::string_view::npos) {
      in_ += input;
      return;
    }
    if (in_.empty()) {
      message(input.substr(0, end));
    } else {
      in_ += input.substr(0, end);
      const std::string whole = std::move(in_);
      in_.clear();
      message(whole);
    }
    input.remove_prefix(end);
    // Stock servers end messages with nothing, RFC 7047 allows white space between them.
    while (!input.empty() && (input.front() == '\n' || input.front() == ' '))
      input.remove_prefix(1);
  }
}

void Client::message(std::string_view text) {
  if (text.size() < 200 && text.find(R"("method":"echo")") != std::string_view::npos) {
    send(R"({"id":"echo","result":[],"error":null})");
    return;
  }
  if (on_message) on_message(text);
}

void Client::send(std::string_view text) {
  out_ += text;
  if (flush_queued_ || waits_writable_) return;
  flush_queued_ = true;
  loop_.to_flush_.push_back(this);
}

void Client::flush() {
  flush_queued_ = false;
  while (fd_ >= 0 && out_written_ < out_.size()) {
    const std::ptrdiff_t put = transmit(std::string_view(out_).substr(out_written_));
    if (put < 0 && errno == EAGAIN) break;
    if (put < 0) return ended(std::strerror(errno));
    out_written_ += static_cast<std::size_t>(put);
  }
  if (out_written_ == out_.size()) {
    out_.clear();
    out_written_ = 0;
  }
  const bool waits = !out_.empty();
  if (fd_ < 0 || waits == waits_writable_) return;
  waits_writable_ = waits;
  epoll_event event{};
  event.events = EPOLLIN | (waits ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.ptr = this;
  epoll_ctl(loop_.epoll_, EPOLL_CTL_MOD, fd_, &event);
}

std::string Client::call(std::string_view method, std::string_view params, double seconds) {
  OnMessage previous = std::move(on_message);
  std::string reply;
  on_message = [&reply](std::string_view text) {
    if (reply_id(text) == 0) reply = text;
  };
  send(request(0, method, params));
  loop_.run_until([&reply] { return !reply.empty(); }, seconds,
                  "the reply to " + std::string(method));
  on_message = std::move(previous);
  require(reply.find(R"("error":null)") != std::string::npos,
          fmt::format("{} was answered {}", method, reply.substr(0, 1000)));
  return reply;
}

// --- messages ---

std::int64_t reply_id(std::string_view reply) {
  // Stock servers put the id first, we may put it last: a long result is searched from both ends.
  constexpr std::string_view kId = R"("id":)";
  std::size_t at = reply.substr(0, 64).find(kId);
  if (at == std::string_view::npos) {
    const std::size_t tail = reply.size() > 64 ? reply.size() - 64 : 0;
    at = reply.substr(tail).rfind(kId);
    if (at == std::string_view::npos) return -1;
    at += tail;
  }
  std::int64_t id = -1;
  for (std::size_t i = at + kId.size(); i < reply.size() && reply[i] >= '0' && reply[i] <= '9'; ++i)
    id = (id < 0 ? 0 : id * 10) + (reply[i] - '0');
  return id;
}

void check_result(std::string_view reply, std::size_t counts) {
  constexpr std::string_view kError = R"("error":)";
  constexpr std::string_view kNoError = R"("error":null)";
  constexpr std::string_view kCount = R"("count":1})";
  const std::size_t error = reply.find(kError);
  bool good = error != std::string_view::npos && reply.substr(error).starts_with(kNoError) &&
              reply.find(kError, error + 1) == std::string_view::npos;
  for (std::size_t at = reply.find(kCount); at != std::string_view::npos;
       at = reply.find(kCount, at + 1)) {
    if (counts-- == 0) break;
  }
  good = good && counts == 0;
  require(good, "a transaction was answered " + std::string(reply.substr(0, 1000)));
}

std::string request(std::int64_t id, std::string_view method, std::string_view params) {
  return fmt::format(R"({{"id":{},"method":"{}","params":{}}})", id, method, params);
}

}  // namespace tandem::bench
