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

#include "protocol/framer.h"
#include "protocol/json/json_output.h"
#include "protocol/jsonrpc.h"
#include "server/control/client_room.h"
#include "server/logging/event_count.h"
#include "server/logging/log.h"
#include "server/logging/printable.h"
#include "server/net/socket_address.h"

namespace tandem::control {

namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t kMaxRequestBytes = 1U << 20U;
constexpr std::size_t kMaxClients = 128;
constexpr std::chrono::milliseconds kPause{100};

log::Module logger("unixctl");
EventCount requests_received("unixctl_received");
EventCount requests_answered("unixctl_replied");

constexpr std::size_t kMostOfError = std::size_t{16} * 1024;

/// One client. Requests are answered one at a time, in order; while some wait, or an answer is not
/// taken, no more are read. Lives while something is under way on its socket.
class Connection : public RoomClient, public std::enable_shared_from_this<Connection> {
 public:
  /// `on_closed` is called with the descriptor just free.
  Connection(Socket socket, ClientRoom& room, const CommandRegistry& registry,
             std::function<void()> on_closed)
      : socket_(std::move(socket)),
        room_(room),
        registry_(registry),
        on_closed_(std::move(on_closed)),
        framer_(kMaxRequestBytes) {}

  void start() {
    room_.waits(*this);
    read();
  }

  void close() override {
    const auto keep = std::move(keep_);
    if (is_linked()) unlink();
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    socket_.close(ignored);
    requests_.clear();
    on_closed_();
  }

 private:
  void read() {
    if (reading_ || !socket_.is_open() || !requests_.empty() || !output_.empty()) return;
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(input_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t size) {
          self->reading_ = false;
          if (error || !self->take(std::string_view(self->input_.data(), size))) {
            self->close();
          } else {
            self->read();
          }
        });
  }

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
    while (!busy_ && output_.empty() && !requests_.empty()) {
      busy_ = true;
      room_.works(*this);
      const JsonRpcMessage request = std::move(requests_.front());
      requests_.pop_front();
      run(request);
    }
    looping_ = false;
    read();
  }

  void run(const JsonRpcMessage& request) {
    keep_ = shared_from_this();
    logger.dbg("received request {}{}, id={}", request.method, to_text(request.params),
               request.id.text());
    requests_received.add();
    Arguments arguments;
    for (const JsonView param : request.params.elements()) {
      if (!param.is_string()) {
        answer(request.id, command_error("\"" + std::string(request.method) +
                                         "\" command has non-string argument"));
        return;
      }
      arguments.emplace_back(param.get_string());
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
    registry_.run(std::string(request.method), arguments, reply);
  }

  void answer(const JsonId& id, const Result<std::string>& result) {
    const auto keep = std::move(keep_);
    if (!socket_.is_open()) return;
    // Errors quote what the user, a file or a peer said.
    std::string text =
        result.has_value() ? *result : printable(result.error().to_string(), kMostOfError);
    logger.dbg("replying with {}, id={}: \"{}\"", result.has_value() ? "success" : "error",
               id.text(), text);
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    busy_ = false;
    room_.waits(*this);
    requests_answered.add();
    // ovs-appctl(8), "--format": commands that have a JSON form of their own take an argument for
    // it.
    if (json_ && result.has_value())
      return send(
          make_reply(id, R"({"reply":)" + json_string(text) + R"(,"reply-format":"plain"})"));
    send(result.has_value() ? make_reply(id, json_string(text))
                            : make_error_reply(id, json_string(text)));
  }

  /// Writes what the socket takes now, so that the answer to "exit" is out before the server ends,
  /// and the rest later. Requires that the last answer was taken.
  void send(std::string text) {
    boost::system::error_code error;
    const std::size_t written = socket_.write_some(asio::buffer(text), error);
    text.erase(0, written);
    if (error && error != asio::error::would_block) {
      close();
      return;
    }
    if (text.empty()) return;
    output_ = std::move(text);
    write();
  }

  void write() {
    asio::async_write(
        socket_, asio::buffer(output_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          if (error) {
            self->close();
            return;
          }
          self->output_.clear();
          self->run_next();
        });
  }

  Socket socket_;
  ClientRoom& room_;
  const CommandRegistry& registry_;
  std::function<void()> on_closed_;
  Framer framer_;
  std::array<char, 4096> input_{};
  std::deque<JsonRpcMessage> requests_;
  std::string output_;    ///< of the last answer, what the socket has not taken yet
  bool json_ = false;     ///< answers are wrapped in JSON
  bool busy_ = false;     ///< a command has been run and not yet answered
  bool looping_ = false;  ///< run_next() is on the stack
  bool reading_ = false;
  std::shared_ptr<Connection> keep_;  ///< itself, while busy
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
  UniqueFd spare;
  std::string path;
  const CommandRegistry& registry;
  struct stat file {};
  ClientRoom room{kMaxClients};

  /// Returns 0 or an errno.
  int open() {
    UniqueFd fd = make_socket(AF_UNIX);
    if (!fd) return errno;
    if (const int error = net::bind_unix_listener(fd.get(), path); error != 0) return error;
    if (::lstat(path.c_str(), &file) != 0 || ::listen(fd.get(), 64) != 0) return errno;
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
    if (!spare) spare = UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
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
    if (!room.make_room()) return;
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    // A free descriptor is taken at once: the databases' listeners are waiting for one, too.
    std::make_shared<Connection>(std::move(socket), room, registry, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->get_spare();
    })->start();
  }

  void close() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    room.clear();
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
