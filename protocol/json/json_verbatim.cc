#include "protocol/json/json_verbatim.h"

#include <string_view>
#include <utility>

#include "protocol/json/json_output.h"

namespace tandem {

void append_json_verbatim(std::string& out, JsonView value) {
  std::string_view between;
  switch (value.kind()) {
    case JsonKind::kNull:
      out += "null";
      return;
    case JsonKind::kBoolean:
      out += value.get_bool() ? "true" : "false";
      return;
    case JsonKind::kNumber:
      out += value.number_text();
      return;
    case JsonKind::kString:
      return append_json_string(out, value.get_string());
    case JsonKind::kArray:
      out += '[';
      for (const JsonView element : value.elements()) {
        append_json_verbatim(out.append(std::exchange(between, ",")), element);
      }
      out += ']';
      return;
    case JsonKind::kObject:
      out += '{';
      for (const auto& [name, member] : value.members()) {
        append_json_string(out.append(std::exchange(between, ",")), name);
        append_json_verbatim(out += ':', member);
      }
      out += '}';
      return;
  }
}

}  // namespace tandem
