#include "protocol/json/json_text.h"

#include <utility>

namespace tandem {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

}  // namespace

JsonText::JsonText(std::string head, JsonDocument document, JsonView value, std::string tail)
    : document_(std::move(document)),
      value_(value),
      text_(std::move(head)),
      tail_(std::move(tail)) {}

SharedText JsonText::next() {
  if (ended_) return nullptr;
  if (!std::exchange(begun_, true)) begin(text_, value_);
  while (!levels_.empty() && text_.size() < kPieceBytes) go_on(text_);
  ended_ = levels_.empty();
  if (ended_) text_ += tail_;
  return shared_text(std::exchange(text_, {}));
}

void JsonText::begin(std::string& out, JsonView value) {
  if (value.is_array()) {
    out += '[';
    levels_.push_back({value.elements().begin(), value.elements().end(), {}});
  } else if (value.is_object()) {
    out += '{';
    const JsonElements::Iterator none{JsonView()};
    levels_.push_back({none, none, sorted_members(value), false});
  } else {
    append_json(out, value);
  }
}

void JsonText::go_on(std::string& out) {
  Level& level = levels_.back();
  const bool ended =
      level.is_array ? level.element == level.end : level.next == level.members.size();
  if (ended) {
    out += level.is_array ? ']' : '}';
    levels_.pop_back();
    return;
  }
  if (level.next++ > 0) out += ',';
  if (level.is_array) {
    const JsonView element = *level.element;
    ++level.element;
    return begin(out, element);
  }
  const JsonMember member = level.members[level.next - 1];
  append_json_string(out, member.name);
  out += ':';
  begin(out, member.value);
}

}  // namespace tandem
