#include "protocol/json/value.h"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/json/json_output.h"
#include "protocol/json/json_reader.h"

namespace tandem {

Json to_value(JsonView value) {
  switch (value.kind()) {
    case JsonKind::kNull:
      return nullptr;
    case JsonKind::kBoolean:
      return value.get_bool();
    case JsonKind::kNumber:
      if (std::int64_t integer = 0; as_integer(value, integer)) return integer;
      return as_real(value);
    case JsonKind::kString:
      return std::string(value.get_string());
    case JsonKind::kArray: {
      Json::array_t elements;
      elements.reserve(value.size());
      for (const JsonView element : value.elements()) elements.push_back(to_value(element));
      return Json(std::move(elements));
    }
    case JsonKind::kObject: {
      Json::object_t members;
      for (const auto& [name, member] : value.members())
        members.emplace(std::string(name), to_value(member));
      return Json(std::move(members));
    }
  }
  return nullptr;
}

namespace {

using AppendReal = void (*)(std::string& out, double value);

void append_unsigned(std::string& out, std::uint64_t value, AppendReal append_real) {
  if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    append_json_integer(out, static_cast<std::int64_t>(value));
  } else {
    append_real(out, static_cast<double>(value));  // as it is read back
  }
}

template <class Value>
void append_value(std::string& out, const Value& value, AppendReal append_real);

template <class Value>
void append_array(std::string& out, const typename Value::array_t& elements,
                  AppendReal append_real) {
  char before = '[';
  for (const Value& element : elements) {
    out += before;
    append_value(out, element, append_real);
    before = ',';
  }
  out += elements.empty() ? "[]" : "]";
}

template <class Value>
void append_object(std::string& out, const typename Value::object_t& members,
                   AppendReal append_real) {
  char before = '{';
  for (const auto& [name, member] : members) {
    out += before;
    append_json_string(out, name);
    out += ':';
    append_value(out, member, append_real);
    before = ',';
  }
  out += members.empty() ? "{}" : "}";
}

template <class Value>
void append_value(std::string& out, const Value& value, AppendReal append_real) {
  using Kind = typename Value::value_t;
  switch (value.type()) {
    case Kind::null:
    case Kind::binary:  // nobody makes these two
    case Kind::discarded:
      out += "null";
      break;
    case Kind::boolean:
      out += *value.template get_ptr<const bool*>() ? "true" : "false";
      break;
    case Kind::number_integer:
      append_json_integer(out, *value.template get_ptr<const std::int64_t*>());
      break;
    case Kind::number_unsigned:
      append_unsigned(out, *value.template get_ptr<const std::uint64_t*>(), append_real);
      break;
    case Kind::number_float:
      append_real(out, *value.template get_ptr<const double*>());
      break;
    case Kind::string:
      append_json_string(out, *value.template get_ptr<const std::string*>());
      break;
    case Kind::array:
      append_array<Value>(out, *value.template get_ptr<const typename Value::array_t*>(),
                          append_real);
      break;
    case Kind::object:
      append_object<Value>(out, *value.template get_ptr<const typename Value::object_t*>(),
                           append_real);
      break;
  }
}

}  // namespace

Result<Json> read_json(std::string_view text) {
  const Result<JsonDocument> parsed = parse_json(text);
  if (!parsed) return parsed.error();
  return Result<Json>(boost::system::in_place_value, to_value(*parsed));
}

const Json* find_member(const Json& value, std::string_view name) {
  const auto member = value.find(name);
  return member == value.end() ? nullptr : &*member;
}

template <JsonValue Value>
void append_json(std::string& out, const Value& value) {
  append_value(out, value, append_json_real);
}
template void append_json(std::string& out, const Json& value);
template void append_json(std::string& out, const OrderedJson& value);

template <JsonValue Value>
std::string to_text(const Value& value) {
  std::string text;
  append_json(text, value);
  return text;
}
template std::string to_text(const Json& value);
template std::string to_text(const OrderedJson& value);

std::string to_exact_text(const Json& value) {
  std::string text;
  append_value(text, value, append_exact_json_real);
  return text;
}

std::string excerpt(const Json& value) { return cut_excerpt(to_text(value)); }

}  // namespace tandem
