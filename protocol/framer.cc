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
  return partial_ ? go_on(input) : begin(input);
}

void Framer::skip_space(std::string_view& input) {
  const std::size_t n = std::min(input.find_first_not_of(" \t\r\n"), input.size());
  space_.advance(input.substr(0, n));
  input.remove_prefix(n);
}

Result<Framer::Message> Framer::begin(std::string_view& input) {
  skip_space(input);
  if (input.empty()) return Message();
  const JsonReader::Status status = reader_.read(input);
  const bool partial = status == JsonReader::Status::kMore;
  message_bytes_ = partial ? input.size() : reader_.position();
  if (status == JsonReader::Status::kFailed) return refuse(input);
  if (message_bytes_ > max_bytes_) return refuse_length();
  if (partial) {
    partial_ = true;
    text_.assign(input);
    input = {};
    return Message();
  }
  JsonDocument document = reader_.take(input);
  input.remove_prefix(message_bytes_);
  space_ = {};
  return Message(std::move(document));
}

Result<Framer::Message> Framer::go_on(std::string_view& input) {
  const std::size_t before = text_.size();
  text_ += input;
  const JsonReader::Status status = reader_.read(text_);
  const bool partial = status == JsonReader::Status::kMore;
  message_bytes_ = partial ? text_.size() : reader_.position();
  if (status == JsonReader::Status::kFailed) return refuse(text_);
  if (message_bytes_ > max_bytes_) return refuse_length();
  if (partial) {
    input = {};
    return Message();
  }
  partial_ = false;
  input.remove_prefix(message_bytes_ - before);
  space_ = {};
  JsonDocument document = reader_.take(std::move(text_));
  text_.clear();
  if (text_.capacity() > kMostKept) text_ = {};
  return Message(std::move(document));
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
