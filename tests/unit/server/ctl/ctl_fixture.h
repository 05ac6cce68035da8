#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "protocol/framer.h"
#include "protocol/json/json_output.h"
#include "protocol/jsonrpc.h"
#include "server/posix/unique_fd.h"

namespace tandem::ctl::test {

/// A folder of its own, with a socket that listens in it.
class Folder {
 public:
  std::string path;
  UniqueFd listener;

  Folder() {
    std::string pattern = "/tmp/tandem-ctl-test.XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }

  std::string listen(const std::string& name) {
    const std::string file = path + "/" + name;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, file.c_str(), sizeof address.sun_path - 1);
    listener = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
            0);
    REQUIRE(::listen(listener.get(), 4) == 0);
    return file;
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path + "/" + name) << text;
  }
};

/// Answers control commands as its function says; a command that it has no answer for is unknown.
/// Has a thread.
class FakeDaemon {
 public:
  using Commands = std::function<std::optional<std::string>(const std::string& command,
                                                            const std::string& params)>;

  FakeDaemon(UniqueFd listener, Commands commands)
      : listener_(std::move(listener)),
        commands_(std::move(commands)),
        thread_([this] { serve(); }) {}
  ~FakeDaemon() {
    stop_ = true;
    thread_.join();
  }

 private:
  void serve() {
    while (!stop_) {
      pollfd entry{listener_.get(), POLLIN, 0};
      if (::poll(&entry, 1, 10) <= 0) continue;
      const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
      answer(client.get());
    }
  }

  void answer(int client) const {
    Framer framer(1U << 20U);
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t size = ::read(client, buffer.data(), buffer.size());
      if (size <= 0) return;
      std::string_view input(buffer.data(), static_cast<std::size_t>(size));
      auto value = framer.next(input);
      if (!*value) continue;
      const auto request = JsonRpcMessage::from_json(std::move(**value));
      const auto text = commands_(std::string(request->method), to_text(request->params));
      std::string quoted;
      append_json_string(quoted, text.value_or("\"x\" is not a valid command\n"));
      const std::string reply =
          text ? make_reply(request->id, quoted) : make_error_reply(request->id, quoted);
      static_cast<void>(::write(client, reply.data(), reply.size()) > 0);
      return;
    }
  }

  UniqueFd listener_;
  Commands commands_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// A daemon that has these commands, and one that answers `list-commands` with them.
inline FakeDaemon::Commands commands(std::string list,
                                     std::function<std::string(const std::string&)> answer = {}) {
  return [list = std::move(list), answer = std::move(answer)](
             const std::string& command, const std::string& params) -> std::optional<std::string> {
    if (command == "list-commands") return list;
    if (!answer || list.find(command) == std::string::npos) return std::nullopt;
    return answer(params);
  };
}

}  // namespace tandem::ctl::test
