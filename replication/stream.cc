#include "replication/stream.h"

#include <algorithm>

#include "protocol/json/member_writer.h"
#include "protocol/jsonrpc.h"

namespace tandem {
namespace {

constexpr std::size_t kMaxRecent = 100'000;
constexpr std::size_t kMaxEpochs = 1000;  // they are written to the log

Error bad_message(std::string_view what) {
  return syntax_error(nullptr, "Parsing " + std::string(what) + " failed");
}

Result<Position> position_of(JsonView object, std::string_view name) {
  const JsonView member = object.find(name);
  return member ? Position::from_json(member) : Result<Position>(bad_message(name));
}

std::optional<Uuid> uuid_of(JsonView value) {
  return value.is_string() ? Uuid::parse(value.get_string()) : std::nullopt;
}

/// Goes on in a form that is spoken here?
bool is_spoken(JsonView reply) {
  std::int64_t version = 1;
  const JsonView member = reply.find("version");
  return !member || (as_integer(member, version) && version >= 1 && version <= kStreamVersion);
}

bool is_true(JsonView value) { return value.is_bool() && value.get_bool(); }

/// A text that a backup gives of itself, for status and logs: it is kept for as long as the backup
/// follows, so it is cut. False if it is none, or has control characters.
bool read_text(JsonView object, std::string_view name, std::string& out) {
  constexpr std::size_t kMaxBytes = 255;
  const JsonView member = object.find(name);
  if (!member) return true;
  if (!member.is_string()) return false;
  std::string_view text = member.get_string();
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

Result<StreamRecord> StreamRecord::from_json(JsonView value) {
  if (!value.is_object()) return bad_message("tandem_record");
  const Result<Position> position = position_of(value, "position");
  if (!position) return position.error();
  StreamRecord record;
  record.position = position.value();
  record.id = uuid_of(value.find("id")).value_or(record.position.digest);
  if (const JsonView text = value.find("record")) {
    if (!text.is_string()) return bad_message("tandem_record");
    record.record = text.get_string();
  }
  record.durable = is_true(value.find("durable"));
  if (const JsonView ephemeral = value.find("ephemeral"); !ephemeral.is_null())
    append_json(record.ephemeral, ephemeral, Reals::kExact);
  return record;
}

std::string record_notification(std::string_view database, const Position& position, const Uuid& id,
                                std::string_view record, std::string_view ephemeral, bool durable) {
  std::string params = "[";
  params.reserve(record.size() + record.size() / 4 + ephemeral.size() + 256);
  append_json_string(params, database);
  params += R"(,{"position":)";
  position.append_json(params);
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

std::string role_notification(std::string_view database, bool backup) {
  std::string params = "[";
  append_json_string(params, database);
  params += ",{";
  MemberWriter(params).boolean("backup", backup);
  return make_notification("tandem_role", params + "}]");
}

Result<bool> role_from_json(JsonView value) {
  const JsonView backup = value.is_object() ? value.find("backup") : JsonView{};
  if (!backup.is_bool()) return bad_message("tandem_role");
  return backup.get_bool();
}

void FollowRequest::append_json(std::string& out) const {
  out += '{';
  MemberWriter members(out);
  if (!buckets.empty()) members.name("buckets") += buckets;
  members.string("file", file);
  members.string("name", name);
  if (!node.empty()) members.string("node", node);
  position.append_json(members.name("position"));
  if (!buckets.empty()) {
    members.name("recent") += '[';
    for (const Uuid& digest : recent) {
      if (out.back() != '[') out += ',';
      out += '"';
      digest.append_to(out);
      out += '"';
    }
    out += ']';
  }
  members.string("server_id", server_id.to_string());
  members.integer("version", kStreamVersion);
  out += '}';
}

Result<FollowRequest> FollowRequest::from_json(JsonView value) {
  if (!value.is_object()) return bad_message("tandem_follow");
  const Result<Position> position = position_of(value, "position");
  if (!position) return position.error();
  const std::optional<Uuid> server_id = uuid_of(value.find("server_id"));
  if (!server_id) return bad_message("server_id");
  FollowRequest request;
  request.position = position.value();
  request.server_id = *server_id;
  if (!read_text(value, "name", request.name)) return bad_message("name");
  if (!read_text(value, "node", request.node)) return bad_message("node");
  if (!read_text(value, "file", request.file)) return bad_message("file");
  if (const JsonView buckets = value.find("buckets")) {
    if (!buckets.is_object()) return bad_message("buckets");
    request.buckets = to_text(buckets);
  }
  if (const JsonView recent = value.find("recent")) {
    if (!recent.is_array() || recent.size() > kMaxRecent) return bad_message("recent");
    for (const JsonView digest : recent.elements()) {
      const std::optional<Uuid> uuid = uuid_of(digest);
      if (!uuid) return bad_message("recent");
      request.recent.push_back(*uuid);
    }
  }
  return request;
}

void FollowReply::append_json(std::string& out) const {
  const bool has_rows = mode == Mode::kRows;
  out += '{';
  MemberWriter members(out);
  if (backup) members.boolean("backup", true);
  if (has_rows) members.name("buckets") += buckets;
  if (has_rows && common) common->append_json(members.name("common"));
  if (has_rows) {
    members.name("epochs") += '[';
    for (const Position& start : epochs) {
      if (out.back() != '[') out += ',';
      start.append_json(out);
    }
    out += ']';
  }
  members.string("mode", to_string(mode));
  if (has_rows && opened_ms > 0) members.integer("opened", opened_ms);
  if (has_rows) oldest.append_json(members.name("oldest"));
  if (has_rows && origin) members.string("origin", origin->to_string());
  position.append_json(members.name("position"));
  if (has_rows) members.integer("rows", static_cast<std::int64_t>(rows));
  members.integer("version", kStreamVersion);
  out += '}';
}

Result<FollowReply> FollowReply::from_json(JsonView value) {
  const JsonView mode = value.find("mode");
  if (!mode.is_string()) return bad_message("the reply to tandem_follow");
  if (!is_spoken(value)) {
    return Error{"unsupported version",
                 "the active goes on in a version of the stream that this server does not speak",
                 std::nullopt};
  }
  FollowReply reply;
  bool known = false;
  for (const Mode candidate : {Mode::kResume, Mode::kCompare, Mode::kRows}) {
    if (mode.get_string() != to_string(candidate)) continue;
    reply.mode = candidate;
    known = true;
  }
  const Result<Position> position = position_of(value, "position");
  if (!known || !position) return bad_message("the reply to tandem_follow");
  reply.position = position.value();
  reply.backup = is_true(value.find("backup"));
  if (reply.mode != Mode::kRows) return reply;
  std::int64_t rows = 0;
  const JsonView buckets = value.find("buckets");
  const Result<Position> oldest = position_of(value, "oldest");
  if (!as_integer(value.find("rows"), rows) || rows < 0 || !buckets || !oldest)
    return bad_message("the reply to tandem_follow");
  reply.rows = static_cast<std::uint64_t>(rows);
  reply.buckets = to_text(buckets);
  reply.oldest = oldest.value();
  if (const JsonView epochs = value.find("epochs"); epochs.is_array()) {
    if (epochs.size() > kMaxEpochs) return bad_message("epochs");
    for (const JsonView start : epochs.elements()) {
      const Result<Position> position_of_start = Position::from_json(start);
      if (!position_of_start) return position_of_start.error();
      reply.epochs.push_back(position_of_start.value());
    }
  }
  if (const JsonView origin = value.find("origin")) {
    reply.origin = uuid_of(origin);
    if (!reply.origin) return bad_message("origin");
  }
  if (const JsonView opened = value.find("opened")) {
    // It is read as a mark is, so that no later time is believed than a mark may say.
    const auto marks = as_integer(opened, reply.opened_ms)
                           ? PositionMarks::parse(opened_mark(reply.opened_ms))
                           : PositionMarks();
    if (!marks.opened_ms) return bad_message("opened");
  }
  if (value.find("common")) {
    const Result<Position> common = position_of(value, "common");
    if (!common) return common.error();
    reply.common = common.value();
  }
  return reply;
}

Result<FollowReply> FollowReply::from_refusal(JsonView error) {
  const Result<Position> position = position_of(error, "position");
  if (!position) return position.error();
  FollowReply reply;
  reply.mode = Mode::kCompare;
  reply.position = position.value();
  reply.backup = is_true(error.find("backup"));
  return reply;
}

}  // namespace tandem
