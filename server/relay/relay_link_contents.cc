// What comes of the database itself: its contents, and commits.

#include <utility>

#include "protocol/json/member_writer.h"
#include "replication/error_tag.h"
#include "server/relay/relay_link.h"

namespace tandem {
namespace {

/// ["monid", NAME], the ids of ovsdb-server's own relays.
std::string monitor_id(std::string_view database) {
  return R"(["monid",)" + json_string(database) + ']';
}

}  // namespace

void RelayLink::ask_contents(SchemaRef schema) {
  if (schema->name() != database_) return fail("the source's schema has another name");
  const bool is_same = schema_ != nullptr && to_text(*schema) == to_text(*schema_);
  wanted_ = is_same ? schema_ : std::move(schema);
  std::string params = "[";
  append_json_string(params, database_);
  params.append(",").append(monitor_id(database_)).append(",{");
  MemberWriter tables(params);
  for (const TableSchema& table : wanted_->tables()) tables.name(table.name) += "[{}]";
  params += '}';
  if (!since_unknown_) {
    params += ",\"";
    (is_same ? last_id_ : Uuid{}).append_to(params);
    params += '"';
  }
  params += ']';
  enter(State::kContents);
  request(since_unknown_ ? "monitor_cond" : "monitor_cond_since", params, Asked::kContents);
  if (!std::exchange(asked_to_be_aware_, true)) {
    request("set_db_change_aware", "[true]", Asked::kAware);
    ask_path();
  }
}

void RelayLink::on_contents(const JsonRpcMessage& reply) {
  if (reply.kind == JsonRpcMessage::Kind::kError) {
    if (since_unknown_ || !is_error(reply.error, "unknown method"))
      return fail("the source gives no contents: " + to_text(reply.error));
    since_unknown_ = true;
    return ask_contents(wanted_);
  }
  bool found = false;
  Uuid id;
  JsonView updates = reply.result;
  if (!since_unknown_) {
    const JsonView result = reply.result;
    const bool whole =
        result.is_array() && result.size() == 3 && result[0].is_bool() && result[1].is_string();
    const std::optional<Uuid> last =
        whole ? Uuid::parse(result[1].get_string()) : std::optional<Uuid>();
    if (!last) return fail("the source's answer to monitor_cond_since cannot be read");
    found = result[0].get_bool();
    id = *last;
    updates = result[2];
  }
  Result<std::vector<RowUpdate>> rows =
      table_updates_from_json(*wanted_, MonitorVersion::kUpdate2, updates);
  if (!rows) return fail("the contents cannot be read: " + rows.error().to_string());
  if (found && (wanted_ != schema_ || last_id_.is_zero()))
    return fail("the source has found an id that it was not asked for");
  ++(found ? status_.resumes : status_.resyncs);
  schema_ = wanted_;
  const bool is_news = !found || !rows->empty() || id != last_id_;
  last_id_ = id;
  RelayCopy::Done done = when_applied(true);
  if (!is_news) return done({});
  if (found) {
    copy_.apply(schema_, std::move(*rows), id, std::move(done));
  } else {
    copy_.take_contents(schema_, std::move(*rows), id, std::move(done));
  }
}

void RelayLink::on_update(JsonView id, JsonView updates) {
  if (state_ != State::kContents && state_ != State::kCurrent) return;  // of what was given up
  std::optional<Uuid> read_id = Uuid{};
  if (id) read_id = id.is_string() ? Uuid::parse(id.get_string()) : std::nullopt;
  if (!read_id) return fail("the id of an update cannot be read");
  Result<std::vector<RowUpdate>> read =
      table_updates_from_json(*wanted_, MonitorVersion::kUpdate2, updates);
  if (!read) return fail("an update cannot be read: " + read.error().to_string());
  if (state_ == State::kContents) {
    waiting_.emplace_back(std::move(*read), *read_id);
  } else {
    apply(std::move(*read), *read_id);
  }
}

void RelayLink::apply(std::vector<RowUpdate> updates, const Uuid& id) {
  last_id_ = id;
  copy_.apply(schema_, std::move(updates), id, when_applied(false));
}

RelayCopy::Done RelayLink::when_applied(bool contents) {
  return [this, contents, attempt = attempt_](const Result<void>& applied) {
    if (!applied) {
      // What the copy has is not what the source thinks, whichever connection this came by.
      return fail((contents ? "the contents" : "an update") +
                  std::string(" could not be applied: ") + applied.error().to_string());
    }
    if (attempt != attempt_) return;
    if (!contents) {
      ++status_.commits;
      failures_ = 0;
      return;
    }
    enter(State::kCurrent);
    for (auto& [updates, id] : std::exchange(waiting_, {})) apply(std::move(updates), id);
    look();
    become_current();
  };
}

void RelayLink::become_current() {
  if (state_ != State::kCurrent || !path_seen_) return;
  if (!std::exchange(announced_, true)) {
    failures_ = 0;
    noted_.clear();
    port_.log_info(database_ + ": relaying " + source_);
  }
  port_.current();
}

}  // namespace tandem
