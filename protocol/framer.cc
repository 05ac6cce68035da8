#include "protocol/framer.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>

#include "protocol/json_parser.h"

namespace tandem {

namespace {

Error stream_error(std::string details) {
  return {"syntax error", std::move(details), std::nullopt};
}

}  // namespace

struct Framer::State {
  std::size_t max_bytes = 0;
  JsonParser parser;
  std::uint64_t stream_bytes = 0;  ///< taken from the stream so far
  std::size_t message_bytes = 0;   ///< of these, in the message that is being read
  bool partial = false;
  bool failed = false;
  bool too_long = false;

  void skip_space(std::string_view& input);
  Error fail(std::string details);
};

void Framer::State::skip_space(std::string_view& input) {
  const std::size_t n = std::min(input.find_first_not_of(" \t\r\n"), input.size());
  input.remove_prefix(n);
  stream_bytes += n;
}

Error Framer::State::fail(std::string details) {
  failed = true;
  partial = false;
  return stream_error(std::move(details));
}

Framer::Framer(std::size_t max_bytes) : state_(std::make_unique<State>()) {
  state_->max_bytes = max_bytes;
}
Framer::~Framer() = default;
Framer::Framer(Framer&&) noexcept = default;
Framer& Framer::operator=(Framer&&) noexcept = default;

Result<std::optional<json::value>> Framer::next(std::string_view& input) {
  using Message = std::optional<json::value>;
  State& state = *state_;
  if (state.failed) return stream_error("the stream has failed before");
  if (!state.partial) {
    state.skip_space(input);
    if (input.empty()) return Message();
    // No message is a string, a word or a number (which would have no end): only containers may
    // come.
    if (input.front() != '{' && input.front() != '[') {
      return state.fail(
          fmt::format("byte {}: syntax error at beginning of input", state.stream_bytes));
    }
    // A message's values share one arena: half the time of separate allocations, a third with
    // freeing them.
    state.parser.reset(json::make_shared_resource<json::monotonic_resource>());
    state.message_bytes = 0;
    state.partial = true;
  }

  json::error_code ec;
  const std::size_t taken = state.parser.write(input, ec);
  input.remove_prefix(taken);
  state.stream_bytes += taken;
  state.message_bytes += taken;
  if (ec) return state.fail(fmt::format("byte {}: {}", state.stream_bytes, ec.message()));
  if (state.message_bytes > state.max_bytes) {
    state.too_long = true;
    return state.fail(fmt::format("message is longer than {} bytes", state.max_bytes));
  }
  if (!state.parser.done()) return Message();
  state.partial = false;
  return Message(state.parser.release());
}

void Framer::set_max_bytes(std::size_t max_bytes) { state_->max_bytes = max_bytes; }

bool Framer::is_too_long() const { return state_->too_long; }

std::size_t Framer::message_bytes() const { return state_->message_bytes; }

bool Framer::partial() const { return state_->partial; }

}  // namespace tandem
