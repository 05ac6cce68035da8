// A reader gives out documents and faults. Whole texts are read here, too.

#include <fmt/core.h>

#include <utility>

#include "protocol/json/json_reader.h"

namespace tandem {

namespace {

/// Larger parts of a document are not copied.
constexpr std::size_t kLargeBytes = std::size_t{64} << 10;
/// Buffers that are kept for the next value: thousands of connections have some.
constexpr std::size_t kMostKept = std::size_t{4} << 10;

}  // namespace

JsonDocument JsonReader::take(std::string_view text) {
  if (nodes_.size() * sizeof(JsonNode) > kLargeBytes) return take(std::string(text));
  JsonDocument document(text.substr(0, position_), unescaped_, nodes_);
  restart();
  return document;
}

JsonDocument JsonReader::take(std::string&& text) {
  if (text.size() <= kLargeBytes && nodes_.size() * sizeof(JsonNode) <= kLargeBytes)
    return take(std::string_view(text));
  text.resize(position_);
  JsonDocument document(std::move(text), std::exchange(unescaped_, {}), std::exchange(nodes_, {}));
  restart();
  return document;
}

JsonDocument JsonReader::borrow(std::string_view text) {
  JsonDocument document(text, unescaped_, nodes_, JsonDocument::Text::kBorrowed);
  restart();
  return document;
}

void JsonReader::restart() {
  nodes_.clear();
  if (nodes_.capacity() * sizeof(JsonNode) > kMostKept) nodes_ = {};
  unescaped_.clear();
  if (unescaped_.capacity() > kMostKept) unescaped_ = {};
  inner_ = 0;
  depth_ = 0;
  behind_value_ = JsonExpected::kEnd;
  is_indexed_ = true;
  position_ = 0;
  status_ = Status::kMore;
  expected_ = JsonExpected::kStart;
  token_ = Token::kNone;
}

std::string JsonReader::fault(std::string_view text, const JsonPlace& begin) const {
  if (text.size() > kMaxBytes) return fmt::format("value is longer than {} bytes", kMaxBytes);
  const bool at_token = status_ == Status::kFailed || token_ != Token::kNone;
  return describe_json_fault(
      text, {at_token ? token_begin_ : text.size(), expected_, depth_, top_ == Top::kAny, begin});
}

namespace {

/// Reads to the end of the text; empty: there is nothing to object to.
std::string read_whole(JsonReader& reader, std::string_view text) {
  const JsonReader::Status status = reader.read(text, true);
  if (status != JsonReader::Status::kDone) return reader.fault(text);
  const std::size_t rest = text.find_first_not_of(" \t\r\n", reader.position());
  if (rest == std::string_view::npos) return {};
  return describe_json_fault(text, {rest, JsonExpected::kEnd});
}

}  // namespace

std::string describe_json_fault(std::string_view text) {
  JsonReader reader(JsonReader::Top::kContainer, 0);
  return read_whole(reader, text);
}

Result<JsonDocument> parse_json(std::string_view text) {
  thread_local JsonReader reader(JsonReader::Top::kAny);
  std::string fault = read_whole(reader, text);
  if (!fault.empty()) {
    reader.restart();
    return Error{"syntax error", std::move(fault), std::nullopt};
  }
  return reader.take(text);
}

}  // namespace tandem
