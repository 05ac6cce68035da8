#include "protocol/json/json_reader.h"
#include "server/storage/record.h"

namespace tandem::storage {

// A position of a file of 57 MB should not need an index of it: what lies within tables is only
// checked.
std::optional<std::string> record_comment(std::string_view body) {
  JsonReader reader(JsonReader::Top::kContainer, 1);
  if (reader.read(body) != JsonReader::Status::kDone ||
      body.find_first_not_of(" \t\r\n", reader.position()) != std::string_view::npos) {
    return std::nullopt;
  }
  const JsonDocument record = reader.borrow(body);
  if (!record.root().is_object()) return std::nullopt;
  const JsonView comment = record.root().find("_comment");
  return comment.is_string() ? std::string(comment.get_string()) : std::string();
}

}  // namespace tandem::storage
