// The stream of a connection: framing, JSON, JSON-RPC messages.

#include "protocol/framer.h"

#include "protocol/jsonrpc.h"
#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

constexpr std::size_t kMaxBytes = 4096;

/// The texts of the values in `stream`, read in pieces of `piece` bytes; "error" at the end if it
/// breaks off.
std::vector<std::string> values_of(std::string_view stream, std::size_t piece) {
  Framer framer(kMaxBytes);
  std::vector<std::string> values;
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    std::string_view bytes = stream.substr(at, piece);
    for (;;) {
      auto value = framer.next(bytes);
      if (!value) {
        values.emplace_back("error");
        return values;
      }
      if (!*value) break;
      values.push_back(to_text(**value));
      const auto message = JsonRpcMessage::from_json(std::move(**value));
      if (message) {
        require(JsonRpcMessage::from_json(message->to_json()).has_value(),
                "a message that is read can be written and read again");
      }
    }
  }
  return values;
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  require(values_of(text, size + 1) == values_of(text, 3), "a stream may be split anywhere");
  // Once: a real of which 15 digits are left may have no fraction any more, and is then an integer.
  if (const auto value = parse_json(text)) {
    const auto again = parse_json(to_text(*value));
    require(again.has_value(), "JSON that is written can be read");
    const auto third = parse_json(to_text(*again));
    require(third.has_value() && to_text(*third) == to_text(*again),
            "JSON that was read from what is written is written as the same");
  }
  return 0;
}
