// The stream of a connection: framing, JSON, JSON-RPC messages.

#include "protocol/framer.h"

#include <nlohmann/json.hpp>

#include "protocol/json/json_output.h"
#include "protocol/json/json_reader.h"
#include "protocol/jsonrpc.h"
#include "protocol/utf8.h"
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
      if (message && message->kind == JsonRpcMessage::Kind::kRequest) {
        const std::string again =
            make_request(message->method, to_text(message->params), message->id);
        require(JsonRpcMessage::from_json(parse_json(again).value()).has_value(),
                "a message that is read can be written and read again");
      }
    }
  }
  return values;
}

bool equal(JsonView value, const nlohmann::json& other) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return other.is_null();
    case JsonKind::kBoolean:
      return other.is_boolean() && other.get<bool>() == value.get_bool();
    case JsonKind::kNumber:
      return other.is_number() && other.get<double>() == as_real(value);
    case JsonKind::kString:
      return other.is_string() && other.get<std::string>() == value.get_string();
    case JsonKind::kArray: {
      if (!other.is_array() || other.size() != value.size()) return false;
      std::size_t i = 0;
      for (const JsonView element : value.elements()) {
        if (!equal(element, other[i++])) return false;
      }
      return true;
    }
    case JsonKind::kObject:
      if (!other.is_object() || other.size() != value.size()) return false;
      for (const auto& [name, member] : value.members()) {
        const auto found = other.find(std::string(name));
        if (found == other.end() || !equal(member, *found)) return false;
      }
      return true;
  }
  return false;
}

/// Another reader, which takes only UTF-8, sees the same values.
void check_values(std::string_view text, const JsonDocument& document) {
  if (!scan_utf8(text).fault.empty() || !scan_utf8(to_text(document)).fault.empty()) return;
  const auto other = nlohmann::json::parse(text, nullptr, false);
  require(!other.is_discarded() && equal(document, other), "another reader sees the same values");
}

void check_json(std::string_view text) {
  const auto value = parse_json(text);
  if (value && (value->root().is_array() || value->root().is_object())) {
    require(describe_json_fault(text).empty(), "what is read has no fault");
  } else {
    require(!describe_json_fault(text).empty(), "what is not read has a fault");
  }
  if (!value) return;
  check_values(text, *value);
  // Once: a real of which 15 digits are left may have no fraction any more, and is then an integer.
  const auto again = parse_json(to_text(*value));
  require(again.has_value(), "JSON that is written can be read");
  const auto third = parse_json(to_text(*again));
  require(third.has_value() && to_text(*third) == to_text(*again),
          "JSON that was read from what is written is written as the same");
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}})
    require(values_of(text, size + 1) == values_of(text, piece), "a stream may be split anywhere");
  check_json(text);
  return 0;
}
