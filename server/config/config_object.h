#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/member_faults.h"
#include "protocol/json/value.h"

namespace tandem {

/// Reads the members of an object of a configuration file and reports what is missing, mistyped or
/// superfluous, in ovsdb-server's words. The first error wins. Borrows the value.
class ConfigObject {
 public:
  ConfigObject(const Json& value, std::string what);

  /// The member, or null when it is absent (an error unless optional) or not a T (always an error).
  /// T is bool, std::int64_t, std::string, Json::array_t or Json::object_t.
  template <class T>
  const T* required(std::string_view name) {
    if (value_.is_object() && find_member(value_, name) == nullptr) fail(missing_member(name));
    return optional<T>(name);
  }
  template <class T>
  const T* optional(std::string_view name) {
    const Json* const member = find_member(value_, name);
    if (member == nullptr) return nullptr;
    used_.push_back(name);
    const T* const found = member->get_ptr<const T*>();
    if (found == nullptr) fail(mistyped_member(name));
    return found;
  }
  void fail(std::string details);

  /// Reports members that nobody asked for, and returns the first error of all. The syntax member
  /// is the object.
  Result<void> finish();

 private:
  const Json& value_;
  std::string what_;
  std::vector<std::string_view> used_;
  std::string failure_;
};

}  // namespace tandem
