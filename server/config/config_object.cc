#include "server/config/config_object.h"

#include <algorithm>
#include <utility>

namespace tandem {

ConfigObject::ConfigObject(const Json& value, std::string what)
    : value_(value), what_(std::move(what)) {
  if (!value_.is_object()) fail("Object expected.");
}

void ConfigObject::fail(std::string details) {
  if (failure_.empty()) failure_ = std::move(details);
}

Result<void> ConfigObject::finish() {
  if (failure_.empty() && value_.size() > used_.size()) {
    const auto is_superfluous = [&](const auto& member) {
      return std::find(used_.begin(), used_.end(), member.first) == used_.end();
    };
    const auto& members = *value_.get_ptr<const Json::object_t*>();
    const auto first = std::find_if(members.begin(), members.end(), is_superfluous);
    fail(superfluous_members(first->first, value_.size() - used_.size()));
  }
  if (failure_.empty()) return {};
  std::string details = "Parsing " + what_ + " failed: " + failure_;
  if (!value_.is_object()) return syntax_error(nullptr, std::move(details));
  return syntax_error_text(excerpt(value_), std::move(details));
}

}  // namespace tandem
