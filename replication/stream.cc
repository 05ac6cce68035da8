#include "replication/stream.h"

#include <algorithm>

#include "protocol/jsonrpc.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxRecent = 100'000;
constexpr std::size_t kMaxEpochs = 1000;  // they are written to the log

Error bad_message(std::string_view what) {
  return syntax_error(nullptr, "Parsing " + std::string(what) + " failed");
}

Result<Position> position_of(const json::object& object, std::string_view name) {
  const json::value* member = object.if_contains(name);
  return member == nullptr ? Result<Position>(bad_message(name)) : Position::from_json(*member);
}

std::optional<Uuid> uuid_of(const json::value* value) {
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return Uuid::parse(std::string_view(value->get_string()));
}

/// A text that a backup gives of itself, for status and logs: it is kept for as long as the backup
/// follows, so it is cut. False if it is none, or has control characters.
bool read_text(const json::object& object, std::string_view name, std::string& out) {
  constexpr std::size_t kMaxBytes = 255;
  const json::value* member = object.if_contains(name);
  if (member == nullptr) return true;
  if (!member->is_string()) return false;
  std::string_view text = member->get_string();
  if (text.size() > kMaxBytes) {
    std::size_t end = kMaxBytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
    text = text.substr(0, end);  // before a character, not in it
  }
  out = text;
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view to_string(FollowReply::Mode mode) {
  switch (mode) {
    case FollowReply::Mode::kResume:
      return "resume";
    case FollowReply::Mode::kCompare:
      return "compare";
    case FollowReply::Mode::kRows:
      return "rows";
  }
  return "";
}

}  // namespace

Result<StreamRecord> StreamRecord::from_json(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return bad_message("tandem_record");
  const Result<Position> position = position_of(*object, "position");
  if (!position) return position.error();
  StreamRecord record;
  record.position = position.value();
  record.id = uuid_of(object->if_contains("id")).value_or(record.position.digest);
  if (const json::value* text = object->if_contains("record")) {
    if (!text->is_string()) return bad_message("tandem_record");
    record.record = std::string_view(text->get_string());
  }
  const json::value* durable = object->if_contains("durable");
  record.durable = durable != nullptr && durable->is_bool() && durable->get_bool();
  if (const json::value* ephemeral = object->if_contains("ephemeral"))
    record.ephemeral = *ephemeral;
  return record;
}

std::string record_notification(std::string_view database, const Position& position, const Uuid& id,
                                std::string_view record, std::string_view ephemeral, bool durable) {
  std::string params = "[";
  params.reserve(record.size() + record.size() / 4 + ephemeral.size() + 256);
  append_json_string(params, database);
  params += R"(,{"position":)";
  params += to_text(position.to_json());
  if (id != position.digest) {
    params += R"(,"id":")";
    id.append_to(params);
    params += '"';
  }
  if (!record.empty()) {
    params += R"(,"record":)";
    append_json_string(params, record);
  }
  if (durable) params += R"(,"durable":true)";
  if (!ephemeral.empty()) {
    params += R"(,"ephemeral":)";
    params += ephemeral;
  }
  params += "}]";
  return make_notification("tandem_record", params);
}

json::object FollowRequest::to_json() const {
  json::object result{{"position", position.to_json()},
                      {"server_id", server_id.to_string()},
                      {"name", name},
                      {"file", file}};
  if (!node.empty()) result["node"] = node;
  if (buckets.is_null()) return result;
  result["buckets"] = buckets;
  json::array digests;
  for (const Uuid& digest : recent) digests.emplace_back(digest.to_string());
  result["recent"] = std::move(digests);
  return result;
}

Result<FollowRequest> FollowRequest::from_json(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return bad_message("tandem_follow");
  const Result<Position> position = position_of(*object, "position");
  if (!position) return position.error();
  const std::optional<Uuid> server_id = uuid_of(object->if_contains("server_id"));
  if (!server_id) return bad_message("server_id");
  FollowRequest request;
  request.position = position.value();
  request.server_id = *server_id;
  if (!read_text(*object, "name", request.name)) return bad_message("name");
  if (object->contains("node") && !read_text(*object, "node", request.node))
    return bad_message("node");
  if (!read_text(*object, "file", request.file)) return bad_message("file");
  if (const json::value* buckets = object->if_contains("buckets")) {
    if (!buckets->is_object()) return bad_message("buckets");
    request.buckets = *buckets;
  }
  if (const json::value* recent = object->if_contains("recent")) {
    if (!recent->is_array() || recent->get_array().size() > kMaxRecent)
      return bad_message("recent");
    for (const json::value& digest : recent->get_array()) {
      const std::optional<Uuid> uuid = uuid_of(&digest);
      if (!uuid) return bad_message("recent");
      request.recent.push_back(*uuid);
    }
  }
  return request;
}

json::object FollowReply::to_json() const {
  json::object result{{"mode", to_string(mode)}, {"position", position.to_json()}};
  if (backup) result["backup"] = true;
  if (mode != Mode::kRows) return result;
  result["rows"] = static_cast<std::int64_t>(rows);
  json::array starts;
  for (const Position& start : epochs) starts.push_back(start.to_json());
  result["epochs"] = std::move(starts);
  result["buckets"] = buckets;
  result["oldest"] = oldest.to_json();
  if (common) result["common"] = common->to_json();
  return result;
}

Result<FollowReply> FollowReply::from_json(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* mode = object == nullptr ? nullptr : object->if_contains("mode");
  if (mode == nullptr || !mode->is_string()) return bad_message("the reply to tandem_follow");
  FollowReply reply;
  bool known = false;
  for (const Mode candidate : {Mode::kResume, Mode::kCompare, Mode::kRows}) {
    if (std::string_view(mode->get_string()) != to_string(candidate)) continue;
    reply.mode = candidate;
    known = true;
  }
  const Result<Position> position = position_of(*object, "position");
  if (!known || !position) return bad_message("the reply to tandem_follow");
  reply.position = position.value();
  const json::value* backup = object->if_contains("backup");
  reply.backup = backup != nullptr && backup->is_bool() && backup->get_bool();
  if (reply.mode != Mode::kRows) return reply;
  std::int64_t rows = 0;
  const json::value* count = object->if_contains("rows");
  const json::value* buckets = object->if_contains("buckets");
  const Result<Position> oldest = position_of(*object, "oldest");
  if (count == nullptr || !as_integer(*count, rows) || rows < 0 || buckets == nullptr || !oldest)
    return bad_message("the reply to tandem_follow");
  reply.rows = static_cast<std::uint64_t>(rows);
  reply.buckets = *buckets;
  reply.oldest = oldest.value();
  if (const json::value* epochs = object->if_contains("epochs");
      epochs != nullptr && epochs->is_array()) {
    if (epochs->get_array().size() > kMaxEpochs) return bad_message("epochs");
    for (const json::value& start : epochs->get_array()) {
      const Result<Position> position_of_start = Position::from_json(start);
      if (!position_of_start) return position_of_start.error();
      reply.epochs.push_back(position_of_start.value());
    }
  }
  if (object->contains("common")) {
    const Result<Position> common = position_of(*object, "common");
    if (!common) return common.error();
    reply.common = common.value();
  }
  return reply;
}

}  // namespace tandem
