#pragma once

// Structs that are kept as JSON objects: one function calls a field writer or reader with the name
// and the place of each value, so that writing and reading agree.

#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "protocol/json/value.h"

namespace tandem {

/// The member of that name; null if there is none of type T (bool, std::int64_t, std::string,
/// Json::array_t or Json::object_t), or `value` is no object.
template <class T>
const T* find_as(const Json& value, std::string_view name) {
  const Json* const member = find_member(value, name);
  return member == nullptr ? nullptr : member->get_ptr<const T*>();
}

/// An integer, or an enumeration that counts.
template <class T>
concept IntegerField = (std::integral<T> && !std::same_as<T, bool>) || std::is_enum_v<T>;

/// Puts values into an object. Leaves out what is not there.
struct FieldWriter {
  Json& object;

  template <class T>
  void operator()(const std::string& name, const T& value) const {
    object[name] = value;
  }
  // Beyond 2^63 it would be written as a real.
  template <IntegerField T>
  void operator()(const std::string& name, const T& value) const {
    object[name] = static_cast<std::int64_t>(value);
  }
  template <class T>
  void operator()(const std::string& name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
};

/// Takes values from an object. Those that are missing or of another kind stay as they are.
struct FieldReader {
  const Json& object;

  template <class T>
  void operator()(const std::string& name, T& value) const {
    if (const T* const found = find_as<T>(object, name)) value = *found;
  }
  template <IntegerField T>
  void operator()(const std::string& name, T& value) const {
    if (const auto* found = find_as<std::int64_t>(object, name)) value = static_cast<T>(*found);
  }
  template <IntegerField T>
  void operator()(const std::string& name, std::optional<T>& value) const {
    if (const auto* found = find_as<std::int64_t>(object, name)) value = static_cast<T>(*found);
  }
  template <class T>
  void operator()(const std::string& name, std::vector<T>& values) const {
    const auto* const elements = find_as<Json::array_t>(object, name);
    if (elements == nullptr) return;
    for (const Json& element : *elements) {
      if (const T* const found = element.get_ptr<const T*>()) values.push_back(*found);
    }
  }
};

}  // namespace tandem
