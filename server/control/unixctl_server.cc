#include "server/control/unixctl_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <functional>
#include <set>

#include "protocol/framer.h"
#include "protocol/jsonrpc.h"
#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/net/socket_address.h"

namespace tandem::control {

namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t kMaxRequestBytes = 1U << 20U;
constexpr std::chrono::milliseconds kPause{100};

log::Module logger("unixctl");
EventCount requests_received("unixctl_received");
EventCount requests_answered("unixctl_replied");

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// One client. Requests are answered one at a time, in order. Lives while something is under way on
/// its socket.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `on_closed` is called with the descriptor just free.
  Connection(Socket socket, const CommandRegistry& registry, std::function<void()> on_closed)
      : socket_(std::move(socket)),
        registry_(registry),
        on_closed_(std::move(on_closed)),
        framer_(kMaxRequestBytes) {}

  void read() {
    socket_.async_read_some(
        asio::buffer(input_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
          if (error || !self->take(std::string_view(self->input_.data(), size))) {
            self->close();
          } else {
            self->read();
          }
        });
  }

  void close() {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    socket_.close(ignored);
    requests_.clear();
    on_closed_();
  }

 private:
  /// Queues the requests in `bytes`, and runs the first if none is under way. False if the client
  /// breaks the protocol.
  bool take(std::string_view bytes) {
    for (;;) {
      auto value = framer_.next(bytes);
      if (value.has_error()) return false;
      if (!*value) break;
      auto message = JsonRpcMessage::from_json(std::move(**value));
      if (message.has_error() || message->kind != JsonRpcMessage::Kind::kRequest) return false;
      requests_.push_back(std::move(*message));
    }
    run_next();
    return true;
  }

  void run_next() {
    // A handler that answers at once comes back here from within run(): the loop goes on, not the
    // recursion.
    if (looping_) return;
    looping_ = true;
    while (!busy_ && !requests_.empty()) {
      busy_ = true;
      const JsonRpcMessage request = std::move(requests_.front());
      requests_.pop_front();
      run(request);
    }
    looping_ = false;
  }

  void run(const JsonRpcMessage& request) {
    logger.dbg("received request {}{}, id={}", request.method, to_text(request.params),
               to_text(request.id));
    requests_received.add();
    Arguments arguments;
    for (const json::value& param : request.params.as_array()) {
      if (!param.is_string()) {
        answer(request.id,
               command_error("\"" + request.method + "\" command has non-string argument"));
        return;
      }
      arguments.emplace_back(param.as_string());
    }
    const auto executor = socket_.get_executor();
    const Reply reply(
        [weak = weak_from_this(), executor, id = request.id](Result<std::string> result) {
          asio::dispatch(executor, [weak, id, result = std::move(result)] {
            if (const auto self = weak.lock()) {
              self->answer(id, result);
              self->run_next();
            }
          });
        },
        [weak = weak_from_this()](bool json) {
          if (const auto self = weak.lock()) self->json_ = json;
        });
    registry_.run(request.method, arguments, reply);
  }

  void answer(const json::value& id, const Result<std::string>& result) {
    std::string text = result.has_value() ? *result : result.error().to_string();
    logger.dbg("replying with {}, id={}: \"{}\"", result.has_value() ? "success" : "error",
               to_text(id), text);
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    busy_ = false;
    requests_answered.add();
    // ovs-appctl(8), "--format": commands that have a JSON form of their own take an argument for
    // it.
    if (json_ && result.has_value())
      return send(make_reply(id, R"({"reply":)" + quoted(text) + R"(,"reply-format":"plain"})"));
    send(result.has_value() ? make_reply(id, quoted(text)) : make_error_reply(id, quoted(text)));
  }

  /// Writes what the socket takes now, so that the answer to "exit" is out before the server ends,
  /// and the rest later.
  void send(std::string text) {
    if (!socket_.is_open()) return;
    boost::system::error_code error;
    if (output_.empty()) {
      const std::size_t written = socket_.write_some(asio::buffer(text), error);
      text.erase(0, written);
      if (error && error != asio::error::would_block) {
        close();
        return;
      }
    }
    if (text.empty()) return;
    output_.push_back(std::move(text));
    if (output_.size() == 1) write();
  }

  void write() {
    asio::async_write(
        socket_, asio::buffer(output_.front()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error) {
            self->close();
            return;
          }
          self->output_.pop_front();
          if (!self->output_.empty()) self->write();
        });
  }

  Socket socket_;
  const CommandRegistry& registry_;
  std::function<void()> on_closed_;
  Framer framer_;
  std::array<char, 4096> input_{};
  std::deque<JsonRpcMessage> requests_;
  std::deque<std::string> output_;
  bool json_ = false;     ///< answers are wrapped in JSON
  bool busy_ = false;     ///< a command has been run and not yet answered
  bool looping_ = false;  ///< run_next() is on the stack
};

}  // namespace

/// The listening socket. Kept by the pending accept as well, which ends when the socket is closed.
struct UnixctlServer::Listener : std::enable_shared_from_this<Listener> {
  Listener(const asio::any_io_executor& executor, std::string socket_path,
           const CommandRegistry& commands)
      : acceptor(executor), timer(executor), path(std::move(socket_path)), registry(commands) {}

  asio::local::stream_protocol::acceptor acceptor;
  asio::steady_timer timer;
  /// Given up to let a client in when clients of the databases have taken all other descriptors:
  /// whoever manages this server has to reach it then, too.
  net::UniqueFd spare;
  std::string path;
  const CommandRegistry& registry;
  struct stat file {};
  std::set<std::weak_ptr<Connection>, std::owner_less<>> connections;

  /// Returns 0 or an errno.
  int open() {
    net::UniqueFd fd = net::make_socket(AF_UNIX);
    if (!fd) return errno;
    struct stat old {};
    if (::lstat(path.c_str(), &old) == 0 && S_ISSOCK(old.st_mode)) ::unlink(path.c_str());
    if (const int error = net::bind_unix(fd.get(), path); error != 0) return error;
    if (::chmod(path.c_str(), 0750) != 0 || ::lstat(path.c_str(), &file) != 0 ||
        ::listen(fd.get(), 64) != 0) {
      return errno;
    }
    boost::system::error_code error;
    acceptor.assign(asio::local::stream_protocol(), fd.release(), error);
    if (!error) acceptor.non_blocking(true, error);
    return error.value();
  }

  void accept() {
    if (!get_spare()) return accept_later();
    acceptor.async_accept(
        [self = shared_from_this()](const boost::system::error_code& error, Socket socket) {
          if (!self->acceptor.is_open()) return;
          if (error) return self->accept_in_need();
          self->serve(std::move(socket));
          self->accept();
        });
  }

  bool get_spare() {
    if (!spare) spare = net::UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return static_cast<bool>(spare);
  }

  void accept_in_need() {
    spare = {};
    boost::system::error_code error;
    Socket socket = acceptor.accept(error);
    if (!error) serve(std::move(socket));
    accept_later();
  }

  /// To try again at once would spin.
  void accept_later() {
    timer.expires_after(kPause);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->acceptor.is_open()) self->accept();
    });
  }

  void serve(Socket socket) {
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    // At once: the databases' listeners are waiting for a descriptor, too.
    const auto connection =
        std::make_shared<Connection>(std::move(socket), registry, [weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->get_spare();
        });
    std::erase_if(connections, [](const auto& weak) { return weak.expired(); });
    connections.insert(connection);
    connection->read();
  }

  void close() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    for (const auto& weak : connections) {
      if (const auto connection = weak.lock()) connection->close();
    }
    struct stat now {};
    const bool mine =
        ::lstat(path.c_str(), &now) == 0 && now.st_ino == file.st_ino && now.st_dev == file.st_dev;
    if (mine) ::unlink(path.c_str());
  }
};

Result<std::unique_ptr<UnixctlServer>> UnixctlServer::listen(const asio::any_io_executor& executor,
                                                             const std::string& path,
                                                             const CommandRegistry& registry) {
  auto listener = std::make_shared<Listener>(executor, path, registry);
  if (const int error = listener->open(); error != 0) {
    return command_error(path + ": could not initialize control socket (" + std::strerror(error) +
                         ")");
  }
  listener->accept();
  return std::unique_ptr<UnixctlServer>(new UnixctlServer(std::move(listener)));
}

UnixctlServer::UnixctlServer(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

UnixctlServer::~UnixctlServer() { listener_->close(); }

}  // namespace tandem::control
