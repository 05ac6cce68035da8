#include "bench/reply.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "bench/void.h"

namespace tandem::bench {

Json read_reply(std::string_view text) {
  Result<Json> value = read_json(text);
  if (!value) throw Void(fmt::format("a reply is no JSON: {}", text.substr(0, 200)));
  return std::move(*value);
}

const Json& value_at(const Json& value, const char* pointer) {
  const Json::json_pointer place(pointer);
  if (!value.contains(place)) throw Void(fmt::format("{} is missing: {}", pointer, excerpt(value)));
  return value[place];
}

const std::string& text_at(const Json& value, const char* pointer) {
  const auto* text = value_at(value, pointer).get_ptr<const std::string*>();
  if (text == nullptr) throw Void(fmt::format("{} is no string: {}", pointer, excerpt(value)));
  return *text;
}

Json selected_rows(std::string_view reply) { return value_at(read_reply(reply), "/result/0/rows"); }

}  // namespace tandem::bench
