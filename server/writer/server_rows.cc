#include "server/writer/server_rows.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/json/member_writer.h"

namespace tandem {
namespace {

/// New records are seen in the index after so long at the latest.
constexpr std::int64_t kIndexLagMs = 1000;
/// A client that looks for the active server while there is none waits for so long at most: it
/// would ask all servers at once, and then again after 1, 2, 4 and 8 s.
constexpr std::int64_t kMostWaitMs = 4000;
/// Meanwhile: how often it is seen whether there is one.
constexpr std::int64_t kLookForActiveMs = 20;

/// An operation on the row that describes the database of that name.
std::string operation_on(std::string_view name, std::string_view op, std::string_view row) {
  std::string text = "{";
  MemberWriter members(text);
  members.string("op", op);
  if (!row.empty()) members.name("row") += row;
  members.string("table", "Database");
  if (op != "insert") {
    append_json_string(members.name("where") += R"([["name","==",)", name);
    text += "]]";
  }
  return text += '}';
}

}  // namespace

ServerRows::ServerRows(WriterContext& context, Transactions& transactions, const Uuid& server_id,
                       LetIn let_in)
    : context_(context),
      transactions_(transactions),
      let_in_(std::move(let_in)),
      server_id_(server_id) {}

ServerRow ServerRows::row_of(const ServedDatabase& database) {
  ServerRow row{.name = database.info->name, .schema = database.info->schema};
  if (database.is_relay()) {
    row.model = ServiceModel::kRelay;
    row.connected = database.source.connected;
    row.leader = false;
    if (!database.info->available) row.schema = nullptr;
  } else if (shows_role() && !database.is_built_in()) {
    std::optional<ServerRow>& before = shown_[row.name].advertised;
    show_as_clustered(row, advertised_, database.may_write(context_.clock), server_id_,
                      database.stored->logged(), before);
    before = row;
  }
  return row;
}

void ServerRows::describe(const ServedDatabase& database) {
  const ServerRow row = row_of(database);
  std::optional<ServerRow>& last = shown_[row.name].last;
  if (last == row) return;
  const char* const op = std::exchange(last, row) ? "update" : "insert";
  transactions_.execute_internal(*context_.catalogue.find(kDatabase),
                                 operation_on(row.name, op, row.to_json()));
}

void ServerRows::remove(const ServedDatabase& database) {
  const std::string& name = database.info->name;
  shown_.erase(name);
  transactions_.execute_internal(*context_.catalogue.find(kDatabase),
                                 operation_on(name, "delete", ""));
}

void ServerRows::set_advertised_role(AdvertisedRole role) {
  advertised_ = role;
  for (const auto& [name, database] : context_.catalogue.databases()) describe(*database);
  let_in();
  context_.schedule_wake();
}

void ServerRows::show_roles() {
  if (!shows_role()) return;
  index_due_ms_.reset();
  for (const auto& [name, database] : context_.catalogue.databases()) describe(*database);
  let_in();
}

void ServerRows::on_logged(const ServedDatabase& database, const CommitRef& /*commit*/) {
  if (!shows_role() || database.is_built_in() || index_due_ms_) return;
  index_due_ms_ = context_.clock.monotonic_ms() + kIndexLagMs;
  context_.schedule_wake();
}

std::optional<std::int64_t> ServerRows::next_deadline_ms() const {
  if (newcomers_.empty()) return index_due_ms_;
  const std::int64_t look = context_.clock.monotonic_ms() + kLookForActiveMs;
  return index_due_ms_ ? std::min(*index_due_ms_, look) : look;
}

// --- who waits to see them ---

void ServerRows::start(std::unique_ptr<NewMonitor> monitor) {
  show_roles();
  if (!makes_newcomers_wait()) return let_in_(std::move(monitor));
  monitor->let_in_ms = context_.clock.monotonic_ms() + kMostWaitMs;
  newcomers_.push_back(std::move(monitor));
  context_.schedule_wake();
}

bool ServerRows::makes_newcomers_wait() const {
  if (advertised_ != AdvertisedRole::kConnected || knows_active()) return false;
  bool any = false;
  for (const auto& [name, database] : context_.catalogue.databases()) {
    if (database->is_built_in() || database->is_relay()) continue;
    const auto shown = shown_.find(name);
    if (shown != shown_.end() && shown->second.last && shown->second.last->leader) return false;
    any = true;
  }
  return any;
}

void ServerRows::let_in() {
  const std::int64_t now = context_.clock.monotonic_ms();
  const bool wait = makes_newcomers_wait();
  for (std::unique_ptr<NewMonitor>& newcomer : std::exchange(newcomers_, {})) {
    if (wait && now < newcomer->let_in_ms) {
      newcomers_.push_back(std::move(newcomer));
    } else {
      let_in_(std::move(newcomer));
    }
  }
}

void ServerRows::drop(SessionId session) {
  std::erase_if(newcomers_,
                [session](const auto& newcomer) { return newcomer->session == session; });
}

}  // namespace tandem
