#include "protocol/object_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "protocol/json/member_faults.h"
#include "protocol/type.h"

namespace tandem {

namespace {

unsigned kinds_of(JsonView value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return kJsonNull;
    case JsonKind::kBoolean:
      return kJsonBoolean;
    case JsonKind::kNumber: {
      std::int64_t ignored = 0;
      return as_integer(value, ignored) ? kJsonInteger : kJsonReal;
    }
    case JsonKind::kString:
      return is_id(value.get_string()) ? kJsonString | kJsonId : kJsonString;
    case JsonKind::kArray:
      return kJsonArray;
    case JsonKind::kObject:
      return kJsonObject;
  }
  return 0;
}

}  // namespace

ObjectReader::ObjectReader(JsonView object, std::string what, std::size_t number, std::size_t count)
    : value_(object), what_(std::move(what)), number_(number), count_(count) {
  if (!value_.is_object()) fail("Object expected.");
}

JsonView ObjectReader::optional(std::string_view name, unsigned kinds) {
  return checked(name, value_.find(name), kinds);
}

JsonView ObjectReader::required(std::string_view name, unsigned kinds) {
  const JsonView member = value_.find(name);
  if (!member && value_.is_object()) fail(missing_member(name));
  return checked(name, member, kinds);
}

JsonView ObjectReader::checked(std::string_view name, JsonView member, unsigned kinds) {
  if (!member) return nullptr;
  used_.push_back(name);
  if (kinds_of(member) & kinds) return member;
  fail(mistyped_member(name));
  return nullptr;
}

void ObjectReader::fail(std::string details) {
  if (failure_.empty()) failure_ = std::move(details);
}

std::string ObjectReader::what() const {
  return count_ == 0 ? what_ : fmt::format("{} {} of {}", what_, number_, count_);
}

Result<void> ObjectReader::finish() {
  if (failure_.empty() && value_.size() > used_.size()) {
    std::string_view first;
    std::size_t superfluous = 0;
    for (const auto& [name, member] : value_.members()) {
      if (std::find(used_.begin(), used_.end(), name) != used_.end()) continue;
      if (superfluous++ == 0 || name < first) first = name;
    }
    fail(superfluous_members(first, superfluous));
  }
  if (failure_.empty()) return {};
  return syntax_error(value_.is_object() ? value_ : nullptr,
                      "Parsing " + what() + " failed: " + failure_);
}

}  // namespace tandem
