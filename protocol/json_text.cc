#include "protocol/json_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

namespace tandem {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

}  // namespace

JsonText::JsonText(std::string head, json::value value, std::string tail)
    : value_(std::move(value)), text_(std::move(head)), tail_(std::move(tail)) {}

SharedText JsonText::next() {
  if (ended_) return nullptr;
  if (!std::exchange(begun_, true)) begin(text_, value_);
  while (!levels_.empty() && text_.size() < kPieceBytes) go_on(text_);
  ended_ = levels_.empty();
  if (ended_) text_ += tail_;
  return shared_text(std::exchange(text_, {}));
}

void JsonText::begin(std::string& out, const json::value& value) {
  if (const json::array* array = value.if_array()) {
    out += '[';
    levels_.push_back({array, {}, array->size()});
  } else if (const json::object* object = value.if_object()) {
    out += '{';
    Level level{nullptr, {}, object->size()};
    for (const json::key_value_pair& member : *object) level.members.push_back(&member);
    std::sort(level.members.begin(), level.members.end(),
              [](const auto* a, const auto* b) { return a->key() < b->key(); });
    levels_.push_back(std::move(level));
  } else {
    append_json(out, value);
  }
}

void JsonText::go_on(std::string& out) {
  Level& level = levels_.back();
  if (level.next == level.size) {
    out += level.array != nullptr ? ']' : '}';
    levels_.pop_back();
    return;
  }
  if (level.next > 0) out += ',';
  const std::size_t at = level.next++;
  if (level.array != nullptr) return begin(out, (*level.array)[at]);
  const json::key_value_pair& member = *level.members[at];
  append_json_string(out, member.key());
  out += ':';
  begin(out, member.value());
}

}  // namespace tandem
