#include "server/ctl/client.h"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "protocol/framer.h"
#include "protocol/json/value.h"
#include "protocol/jsonrpc.h"
#include "server/ctl/stream.h"

namespace tandem::ctl {

namespace {

constexpr std::size_t kMaxAnswerBytes = 256U << 20U;

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

Result<Answer> read_answer(Stream& stream, const std::string& socket) {
  Framer framer(kMaxAnswerBytes);
  std::string bytes;
  for (;;) {
    if (const int error = stream.receive(bytes); error == ETIMEDOUT) {
      return failure(fmt::format("{}: no answer in time", socket));
    } else if (error != 0 || bytes.empty()) {
      return failure(fmt::format("{}: connection lost ({})", socket,
                                 error != 0 ? std::strerror(error) : "End of file"));
    }
    std::string_view input = bytes;
    auto value = framer.next(input);
    if (value.has_error()) return value.error();
    if (!*value) continue;
    auto message = JsonRpcMessage::from_json(std::move(**value));
    if (message.has_error()) return message.error();
    const bool is_error = message->kind == JsonRpcMessage::Kind::kError;
    return Answer{message->answer_text(), is_error};
  }
}

}  // namespace

Result<Answer> run_command(const std::string& socket, const std::string& command,
                           const std::vector<std::string>& arguments,
                           std::chrono::milliseconds timeout) {
  Stream stream(Stream::Clock::now() + timeout);
  if (const int error = stream.connect_file(socket); error != 0) {
    return failure(fmt::format("cannot connect to \"{}\" ({})", socket, std::strerror(error)));
  }
  const std::string request = make_request(command, to_text(Json(arguments)), JsonId(0));
  if (const int error = stream.send(request); error != 0) {
    return failure(fmt::format("{}: cannot send the command ({})", socket, std::strerror(error)));
  }
  return read_answer(stream, socket);
}

}  // namespace tandem::ctl
