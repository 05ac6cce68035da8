#include "protocol/object_reader.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "protocol/json/member_faults.h"
#include "protocol/type.h"

namespace tandem {

namespace {

unsigned kinds_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kJsonNull;
    case json::kind::bool_:
      return kJsonBoolean;
    case json::kind::int64:
      return kJsonInteger;
    case json::kind::uint64:
    case json::kind::double_: {
      std::int64_t ignored = 0;
      return as_integer(value, ignored) ? kJsonInteger : kJsonReal;
    }
    case json::kind::string:
      return is_id(value.get_string()) ? kJsonString | kJsonId : kJsonString;
    case json::kind::array:
      return kJsonArray;
    case json::kind::object:
      return kJsonObject;
  }
  return 0;
}

}  // namespace

ObjectReader::ObjectReader(const json::value& object, std::string what)
    : value_(object), what_(std::move(what)) {
  if (!value_.is_object()) fail("Object expected.");
}

const json::value* ObjectReader::optional(std::string_view name, unsigned kinds) {
  if (!value_.is_object()) return nullptr;
  const json::value* member = value_.get_object().if_contains(name);
  if (!member) return nullptr;
  used_.push_back(name);
  if (kinds_of(*member) & kinds) return member;
  fail(mistyped_member(name));
  return nullptr;
}

const json::value* ObjectReader::required(std::string_view name, unsigned kinds) {
  if (value_.is_object() && !value_.get_object().contains(name)) fail(missing_member(name));
  return optional(name, kinds);
}

void ObjectReader::fail(std::string details) {
  if (failure_.empty()) failure_ = std::move(details);
}

Result<void> ObjectReader::finish() {
  if (failure_.empty() && value_.get_object().size() > used_.size()) {
    std::string_view first;
    std::size_t superfluous = 0;
    for (const auto& member : value_.get_object()) {
      const std::string_view name = member.key();
      if (std::find(used_.begin(), used_.end(), name) != used_.end()) continue;
      if (superfluous++ == 0 || name < first) first = name;
    }
    fail(superfluous_members(first, superfluous));
  }
  if (failure_.empty()) return {};
  return syntax_error(value_.is_object() ? &value_ : nullptr,
                      "Parsing " + what_ + " failed: " + failure_);
}

}  // namespace tandem
