#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "bench/endpoint.h"
#include "bench/scanner.h"

typedef struct ssl_st SSL;

namespace tandem::bench {

class Client;

/// Waits for sockets and times. One thread.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Serves clients and timers until `done` holds; Void with `what` after `seconds`.
  void run_until(const std::function<bool()>& done, double seconds, const std::string& what);
  /// Serves clients and timers for a while.
  void run_for(double seconds);
  void at(std::int64_t ns, std::function<void()> call);

 private:
  friend class Client;
  void turn(std::int64_t until_ns);

  struct Timer {
    std::int64_t ns;
    std::uint64_t order;
    std::function<void()> call;
    bool operator<(const Timer& other) const {
      return ns != other.ns ? ns > other.ns : order > other.order;
    }
  };
  int epoll_;
  std::uint64_t order_ = 0;
  std::priority_queue<Timer> timers_;
  std::vector<Client*> to_flush_;
};

/// One JSON-RPC client. Answers the server's probes by itself. Any end of its connection that it
/// has not asked for makes the run void.
class Client {
 public:
  /// A reply, or a notification; valid during the call.
  using OnMessage = std::function<void(std::string_view)>;

  Client(Loop& loop, const Endpoint& endpoint);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  OnMessage on_message;
  /// The connection may end: on_end is called instead of ending the run.
  std::function<void()> on_end;

  /// Queues a whole message; it leaves at the end of the loop's turn.
  void send(std::string_view text);
  /// Sends a request and waits for its reply, which must not be an error. Others' messages are
  /// served meanwhile; this client must be waiting for nothing else. Returns the reply's text.
  std::string call(std::string_view method, std::string_view params, double seconds = 120);
  std::uint64_t bytes_in() const { return bytes_in_; }

 private:
  friend class Loop;
  void on_event(std::uint32_t events);
  void read();
  void flush();
  void take(std::string_view input);
  void message(std::string_view text);
  std::ptrdiff_t receive(char* buffer, std::size_t size);
  std::ptrdiff_t transmit(std::string_view text);
  void ended(const std::string& why);

  Loop& loop_;
  std::string name_;
  int fd_;
  SSL* tls_ = nullptr;
  Scanner scanner_;
  std::string in_;  ///< the beginning of an object that has not ended yet
  std::string out_;
  std::size_t out_written_ = 0;
  bool flush_queued_ = false;
  bool waits_writable_ = false;
  std::uint64_t bytes_in_ = 0;
};

// Replies, without reading them as JSON: requests have numbers as ids, and what is searched here
// cannot be in the results of the operations that the scenarios send.

/// The id of a reply; -1 for a notification.
std::int64_t reply_id(std::string_view reply);
/// Void unless the reply is a result in which no operation failed and `count` operations tell that
/// they changed exactly one row.
void check_result(std::string_view reply, std::size_t counts);

std::string request(std::int64_t id, std::string_view method, std::string_view params);

}  // namespace tandem::bench
