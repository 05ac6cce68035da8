#include "protocol/framer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace tandem {

namespace {

/// A buffer for messages in parts that is kept.
constexpr std::size_t kMostKept = std::size_t{4} << 10;

Error stream_error(std::string details) {
  return {"syntax error", std::move(details), std::nullopt};
}

}  // namespace

Result<std::optional<JsonDocument>> Framer::next(std::string_view& input) {
  if (failed_) return stream_error("the stream has failed before");
  if (!partial_) {
    skip_space(input);
    if (input.empty()) return Message();
  }
  const std::size_t before = text_.size();
  if (partial_) text_ += input;
  // A message that lies whole in the input is read there.
  const std::string_view text = partial_ ? text_ : input;
  const JsonReader::Status status = reader_.read(text);
  const bool complete = status != JsonReader::Status::kMore;
  message_bytes_ = complete ? reader_.position() : text.size();
  if (status == JsonReader::Status::kFailed) return refuse(text);
  if (message_bytes_ > max_bytes_) return refuse_length();
  if (!complete) {
    if (!std::exchange(partial_, true)) text_.assign(input);
    input = {};
    return Message();
  }
  input.remove_prefix(message_bytes_ - before);
  space_ = {};
  if (!std::exchange(partial_, false)) return Message(reader_.take(text));
  JsonDocument document = reader_.take(std::move(text_));
  text_.clear();
  if (text_.capacity() > kMostKept) text_ = {};
  return Message(std::move(document));
}

void Framer::skip_space(std::string_view& input) {
  const std::size_t n = std::min(input.find_first_not_of(" \t\r\n"), input.size());
  space_.advance(input.substr(0, n));
  input.remove_prefix(n);
}

Error Framer::refuse(std::string_view text) {
  failed_ = true;
  partial_ = false;
  return stream_error(reader_.fault(text, space_));
}

Error Framer::refuse_length() {
  failed_ = true;
  partial_ = false;
  too_long_ = true;
  return stream_error(fmt::format("message is longer than {} bytes", max_bytes_));
}

}  // namespace tandem
