#include "protocol/json/json_reader.h"

// The index is made in one pass over the text by a machine whose state is in members, so that it
// goes on wherever the text was split. What it expects next is told by expected_; the order of the
// steps in run() lets it fall from a name to the colon, the value and what ends it without looking.

#include "protocol/json/json_lexer.h"

namespace tandem {

JsonReader::Status JsonReader::read(std::string_view text, bool is_last) {
  if (status_ != Status::kMore) return status_;
  begin_ = text.data();
  at_ = begin_ + position_;
  end_ = begin_ + text.size();
  is_last_ = is_last;
  if (text.size() > kMaxBytes) {
    fail(at_);
  } else {
    run();
  }
  position_ = static_cast<std::size_t>(at_ - begin_);
  return status_;
}

inline bool JsonReader::skip_space() {
  while (at_ < end_ && is_json_space(*at_)) ++at_;
  return at_ < end_;
}

bool JsonReader::stop(Status status) {
  status_ = status;
  return false;
}

bool JsonReader::fail(const char* token) {
  token_begin_ = offset(token);
  return stop(Status::kFailed);
}

// --- arrays and objects ---

inline bool JsonReader::read_end() {
  const bool in_object = expected_ == JsonExpected::kMemberEnd;
  if (*at_ == ',') {
    ++at_;
    expected_ = in_object ? JsonExpected::kKey : JsonExpected::kElement;
    return true;
  }
  return *at_ == (in_object ? '}' : ']') ? close() : fail(at_);
}

inline bool JsonReader::open(JsonKind kind) {
  if (depth_ == kMostJsonDepth) return fail(at_);
  const auto node = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({inner_, 0, kind});
  inner_ = node;
  is_indexed_ = ++depth_ <= indexed_depth_;
  ++at_;
  const bool is_object = kind == JsonKind::kObject;
  expected_ = is_object ? JsonExpected::kFirstKey : JsonExpected::kFirstElement;
  behind_value_ = is_object ? JsonExpected::kMemberEnd : JsonExpected::kElementEnd;
  return true;
}

inline bool JsonReader::close() {
  ++at_;
  const std::uint32_t node = inner_;
  inner_ = nodes_[node].place;
  const bool had_index = is_indexed_;
  is_indexed_ = --depth_ <= indexed_depth_;
  if (!is_indexed_) {
    nodes_.resize(node);
  } else {
    nodes_[node].place = static_cast<std::uint32_t>(nodes_.size());
    if (!had_index) nodes_[node].size = 0;
    if (nodes_[node].kind == JsonKind::kObject && nodes_[node].size > 1)
      supersede_equal_names(node);
  }
  behind_value_ = depth_ == 0                                ? JsonExpected::kEnd
                  : nodes_[inner_].kind == JsonKind::kObject ? JsonExpected::kMemberEnd
                                                             : JsonExpected::kElementEnd;
  end_value();
  return true;
}

inline void JsonReader::end_value() {
  if (depth_ > 0) ++nodes_[inner_].size;
  expected_ = behind_value_;
}

// --- strings, numbers, words ---

inline bool JsonReader::read_value() {
  const char c = *at_;
  if (c == '{') return open(JsonKind::kObject);
  if (c == '[') return open(JsonKind::kArray);
  if (expected_ == JsonExpected::kStart && top_ == Top::kContainer) return fail(at_);
  switch (c) {
    case '"':
      return begin_string();
    case ']':
      return expected_ == JsonExpected::kFirstElement ? close() : fail(at_);
    case 't':
      return read_word("true", JsonKind::kBoolean, true);
    case 'f':
      return read_word("false", JsonKind::kBoolean);
    case 'n':
      return read_word("null", JsonKind::kNull);
    default:
      return c == '-' || is_json_digit(c) ? begin_number() : fail(at_);
  }
}

inline bool JsonReader::begin_string() {
  token_begin_ = offset(at_);
  const char* const at = find_in_string(at_ + 1, end_);
  if (at == end_ || *at != '"') {
    segment_ = token_begin_ + 1;
    unescaped_at_ = static_cast<std::uint32_t>(unescaped_.size());
    has_escapes_ = false;
    token_ = Token::kString;
    return go_on_string(at);
  }
  add_node(token_begin_ + 1, static_cast<std::size_t>(at - at_) - 1, JsonKind::kString);
  at_ = at + 1;
  end_string();
  return true;
}

bool JsonReader::go_on_string(const char* at) {
  while (true) {
    at_ = find_in_string(at, end_);
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ != '\\') return fail(begin_ + token_begin_);
    unescaped_.append(begin_ + segment_, at_);
    segment_ = offset(at_);
    has_escapes_ = true;
    std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
    const EscapeFault fault = take_escape(rest, unescaped_);
    if (fault == EscapeFault::kIncomplete) return false;
    if (fault != EscapeFault::kNone) return fail(begin_ + token_begin_);
    at = rest.data();
    segment_ = offset(at);
  }
  if (has_escapes_) {
    unescaped_.append(begin_ + segment_, at_);
    add_node(unescaped_at_, unescaped_.size() - unescaped_at_, JsonKind::kString, true);
    if (!is_indexed_) unescaped_.resize(unescaped_at_);
  } else {
    add_node(segment_, offset(at_) - segment_, JsonKind::kString);
  }
  ++at_;
  token_ = Token::kNone;
  end_string();
  return true;
}

inline void JsonReader::end_string() {
  if (expected_ == JsonExpected::kKey || expected_ == JsonExpected::kFirstKey) {
    expected_ = JsonExpected::kColon;
  } else {
    end_value();
  }
}

bool JsonReader::begin_number() {
  token_begin_ = offset(at_);
  number_part_ = NumberPart::kStart;
  token_ = Token::kNumber;
  return go_on_number();
}

bool JsonReader::go_on_number() {
  at_ = scan_number(at_, end_, number_part_);
  if (at_ == end_ && !is_last_) return false;
  const char* const begin = begin_ + token_begin_;
  const std::string_view number(begin, static_cast<std::size_t>(at_ - begin));
  if (!is_whole(number_part_) || (at_ < end_ && is_number_character(*at_))) return fail(begin);
  // A number of a few digits is never too large.
  constexpr std::size_t kFewDigits = 300;
  if ((number_part_ == NumberPart::kExponent || number.size() > kFewDigits) &&
      range_of_number(number) != NumberRange::kFine) {
    return fail(begin);
  }
  add_node(token_begin_, number.size(), JsonKind::kNumber);
  token_ = Token::kNone;
  end_value();
  return true;
}

/// Until the character behind it is there, it may be the beginning of a longer word.
bool JsonReader::read_word(std::string_view word, JsonKind kind, bool is_true) {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  if (!rest.starts_with(word.substr(0, rest.size()))) return fail(at_);
  if (rest.size() > word.size() ? is_keyword_letter(rest[word.size()])
                                : rest.size() < word.size() && is_last_) {
    return fail(at_);
  }
  if (rest.size() <= word.size() && !is_last_) return false;
  add_node(0, is_true ? 1 : 0, kind);
  at_ += word.size();
  end_value();
  return true;
}

// --- the machine ---

bool JsonReader::run() {
  if (token_ == Token::kString && !go_on_string(at_)) return false;
  if (token_ == Token::kNumber && !go_on_number()) return false;
  while (expected_ != JsonExpected::kEnd) {
    if (!skip_space()) return false;
    switch (expected_) {
      case JsonExpected::kFirstKey:
        if (*at_ == '}') {
          close();
          break;
        }
        [[fallthrough]];
      case JsonExpected::kKey:
        if (*at_ != '"') return fail(at_);
        if (!begin_string() || !skip_space()) return false;
        [[fallthrough]];
      case JsonExpected::kColon:
        if (*at_ != ':') return fail(at_);
        ++at_;
        expected_ = JsonExpected::kMemberValue;
        if (!skip_space()) return false;
        [[fallthrough]];
      case JsonExpected::kMemberValue:
      case JsonExpected::kFirstElement:
      case JsonExpected::kElement:
      case JsonExpected::kStart:
        if (!read_value()) return false;
        if (expected_ != JsonExpected::kMemberEnd && expected_ != JsonExpected::kElementEnd) break;
        if (!skip_space()) return false;
        [[fallthrough]];
      case JsonExpected::kMemberEnd:
      case JsonExpected::kElementEnd:
        if (!read_end()) return false;
        break;
      case JsonExpected::kEnd:
        break;
    }
  }
  return stop(Status::kDone);
}

}  // namespace tandem
