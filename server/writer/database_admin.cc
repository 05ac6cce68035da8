// How databases come and go: the part of DatabaseServer that ovs-appctl and the configuration
// reach.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "protocol/json/member_writer.h"
#include "server/database/record_codec.h"
#include "server/database/schema_conversion.h"
#include "server/writer/database_server.h"
#include "server/writer/free_memory.h"

namespace tandem {
namespace {

/// An operation on the row of _Server that describes the database of that name.
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

Error removed_meanwhile() { return {"", "the database was removed meanwhile", std::nullopt}; }

}  // namespace

Result<void> DatabaseServer::add(std::unique_ptr<StoredDatabase> stored) {
  const std::string name = stored->schema()->name();
  if (find(name) != nullptr)
    return Error{"ovsdb error", name + ": duplicate database name", std::nullopt};
  auto served = std::make_unique<ServedDatabase>();
  served->info = std::make_shared<const DatabaseInfo>(
      DatabaseInfo{name, next_generation_++, stored->schema(), stored->path(), stored->log()});
  served->stored = std::move(stored);
  served->backup = served->stored->is_damaged();
  set_right(*served);
  served->compacted_ms = ports_.clock.monotonic_ms();
  served->gate.configure(sync_);
  served->gate.logged(served->stored->position());
  ServedDatabase& database = *databases_.emplace(name, std::move(served)).first->second;
  describe(database);
  directory_changed_ = true;
  return {};
}

Result<void> DatabaseServer::remove(std::string_view name) {
  const auto found = databases_.find(name);
  if (found == databases_.end()) return Error{"", "Failed to find the database.", std::nullopt};
  ServedDatabase& database = *found->second;
  if (database.built_in) return Error{"", "Cannot remove reserved database.", std::nullopt};
  cancel_blocked(database);
  flush();
  database.followers.lose_all();
  const Error refused{"not allowed",
                      "the database was removed before enough backups had acknowledged",
                      std::nullopt};
  release(database, &refused);
  ServedDatabase& server = *find("_Server");
  transact_internal(server, operation_on(name, "delete", ""));
  const auto waiting = std::move(database.after_compaction);
  databases_.erase(found);
  directory_changed_ = true;
  for (const auto& told : waiting) told(removed_meanwhile());
  return {};
}

void DatabaseServer::describe(ServedDatabase& database) {
  ServerRow row{.name = database.info->name, .schema = database.info->schema};
  if (database.is_relay()) {
    row.model = ServiceModel::kRelay;
    row.connected = database.connected;
    row.leader = false;
    if (!database.info->available) row.schema = nullptr;
  } else if (advertised_ != AdvertisedRole::kNone && !database.built_in) {
    show_as_clustered(row, advertised_, database.right->holds(ports_.clock), server_id_,
                      database.stored->logged(), database.advertised);
    database.advertised = row;
  }
  if (database.shown == row) return;
  const char* const op = std::exchange(database.shown, row) ? "update" : "insert";
  transact_internal(*find("_Server"), operation_on(row.name, op, row.to_json()));
}

void DatabaseServer::set_advertised_role(AdvertisedRole role) {
  advertised_ = role;
  for (const auto& [name, database] : databases_) describe(*database);
  let_in();
  schedule_wake();
}

void DatabaseServer::show_roles() {
  if (advertised_ == AdvertisedRole::kNone) return;
  index_due_ms_.reset();
  for (const auto& [name, database] : databases_) describe(*database);
  let_in();
}

bool DatabaseServer::makes_newcomers_wait() const {
  if (advertised_ != AdvertisedRole::kConnected || others_active_ > 0) return false;
  bool any = false;
  for (const auto& [name, database] : databases_) {
    if (database->built_in || database->is_relay()) continue;
    if (database->shown && database->shown->leader) return false;
    any = true;
  }
  return any;
}

void DatabaseServer::let_in() {
  const std::int64_t now = ports_.clock.monotonic_ms();
  const bool wait = makes_newcomers_wait();
  for (std::unique_ptr<NewMonitor>& newcomer : std::exchange(newcomers_, {})) {
    if (wait && now < newcomer->let_in_ms) {
      newcomers_.push_back(std::move(newcomer));
    } else {
      start(std::move(newcomer));
    }
  }
}

void DatabaseServer::set_right(ServedDatabase& database) const {
  const bool copy = database.backup || database.is_relay();
  database.right->end_at(copy ? WriteRight::kNever
                              : write_deadline_ms_.value_or(WriteRight::kForever));
}

void DatabaseServer::set_write_deadline(std::optional<std::int64_t> at_ms) {
  write_deadline_ms_ = at_ms;
  for (const auto& [name, database] : databases_) set_right(*database);
  show_roles();
  schedule_wake();
}

void DatabaseServer::publish_directory() {
  directory_changed_ = false;
  auto directory = std::make_shared<Directory>();
  for (const auto& [name, database] : databases_) directory->emplace(name, database->info);
  directory_ = std::move(directory);
  for (CommitObserver* observer : observers_) observer->on_databases_changed();
  for (const ClientThreadPort& port : threads_) {
    port.mailbox->put(
        [thread = port.thread, directory = directory_] { thread->on_directory(directory); });
  }
}

bool DatabaseServer::is_backup() const {
  bool any = false;
  for (const auto& [name, database] : databases_) {
    if (database->built_in) continue;
    if (!database->backup && !database->is_relay()) return false;
    any = true;
  }
  return any;
}

void DatabaseServer::set_backup(ServedDatabase& database, bool backup) {
  backup = backup || database.stored->is_damaged();
  if (database.backup == backup || database.is_relay()) return;
  flush();
  if (backup) {
    const Error refused{"not allowed",
                        "the server became a backup before enough backups had acknowledged",
                        std::nullopt};
    release(database, &refused);
  }
  database.backup = backup;
  if (!backup) database.forwarder = nullptr;
  set_right(database);
  if (!backup) DatabaseFigures::count(database.figures->promotions);
  std::string role = role_notification(database.info->name, backup);
  const std::size_t bytes = role.size();
  database.followers.tell(
      std::make_shared<const StreamText>([role = std::move(role)] { return role; }, bytes));
  // Before newcomers are let in: one that has gone on to a database by then would be closed, since
  // it has not said yet that it knows of such changes.
  for (const ClientThreadPort& port : threads_) {
    reply(*port.mailbox, [thread = port.thread] { thread->on_role_change(); });
  }
  show_roles();
  database.blocked.mark_all();
  retry_blocked(database);
  for (CommitObserver* observer : observers_) observer->on_databases_changed();
}

Result<void> DatabaseServer::may_promote(const ServedDatabase& database, IfDamaged if_damaged) {
  if (!database.stored->is_damaged() || if_damaged == IfDamaged::kGiveUp) return {};
  return Error{
      fmt::format("{}: {}: refusing to promote (--damaged does it all the same, and gives "
                  "up what is behind the damage)",
                  database.info->name, database.stored->log()->health().damage->to_string()),
      "", std::nullopt};
}

Result<void> DatabaseServer::promote(ServedDatabase& database, std::optional<Epoch> above,
                                     IfDamaged if_damaged) {
  if (database.is_relay()) return {};
  if (Result<void> may = may_promote(database, if_damaged); !may) return may;
  if (!database.backup && (!above || database.stored->position().epoch > *above)) return {};
  flush();
  const Epoch last = std::max(database.stored->position().epoch, above.value_or(Epoch{}));
  const Epoch epoch{static_cast<std::uint64_t>(last) + 1};
  Position promoted = database.stored->position();
  promoted.epoch = epoch;
  // Nobody who reads the record would believe that it is a promotion.
  if (!is_believable(database.stored->position(), promoted))
    return Error{"not allowed", "the epoch is too far above that of the database", std::nullopt};
  if (database.stored->log() != nullptr) {
    Result<void> outcome;
    Outgoing outgoing;
    outgoing.database = &database;
    // With the server's id: two servers that are promoted by mistake open epochs of their own.
    outgoing.commit = database.stored->stage_comment(promotion_mark(epoch) + "\nby server " +
                                                     server_id_.to_string() + '\n' +
                                                     opened_mark(ports_.clock.wall_ms()));
    outgoing.written = [&outcome](const Result<void>& written) { outcome = written; };
    outgoing_.push_back(std::move(outgoing));
    database.stored->replace_damage();
    flush();
    if (outcome) outcome = mend(database);
    if (!outcome) return outcome;
  }
  set_backup(database, false);
  return {};
}

// --- new files ---

Result<void> DatabaseServer::mend(ServedDatabase& database) {
  return writer_.wait_for([&] { return database.stored->log()->mend(); });
}

void DatabaseServer::look_for_room() {
  for (const auto& [name, database] : databases_) {
    storage::LogFile* const log = database->stored->log().get();
    if (log != nullptr && log->lacks_room())
      writer_.wait_for([log] { return log->look_for_room(); });
  }
}

void DatabaseServer::compact(ServedDatabase& database,
                             std::function<void(const Result<void>&)> done) {
  if (database.stored->log() == nullptr) return done({});
  if (database.compacting) return database.after_compaction.push_back(std::move(done));
  flush();
  Result<std::unique_ptr<storage::Compaction>> begun =
      writer_.wait_for([&] { return storage::Compaction::begin(*database.stored->log()); });
  if (!begun) {
    DatabaseFigures::count(database.figures->failed_compactions);
    database.compacted_ms = ports_.clock.monotonic_ms();
    return done(begun.error());
  }
  database.compacting = true;
  // A client thread becomes the writer for the end: the background thread may have more to do.
  TaskRunner& runner = threads_.empty() ? ports_.background : threads_.front().mailbox->runner();
  // The thread is lent: this disk may hang, and others have long work, too.
  ports_.background.post_lent([this, done = std::move(done), info = database.info,
                               log = database.stored->log(), compaction = std::move(begun.value()),
                               &runner, record = database.stored->snapshot_record()]() mutable {
    Result<void> written =
        compaction->write_snapshot(to_text(*info->schema), [&] { return record.next(); });
    submit([this, info, log, compaction = std::move(compaction), written = std::move(written),
            done = std::move(
                done)]() mutable { end_compaction(info, std::move(compaction), written, done); },
           runner);
  });
}

void DatabaseServer::end_compaction(const DatabaseInfoRef& info,
                                    std::unique_ptr<storage::Compaction> compaction,
                                    Result<void> written,
                                    const std::function<void(const Result<void>&)>& done) {
  ServedDatabase* database = find(info->name);
  if (database != nullptr && database->info != info) database = nullptr;
  flush();
  written = writer_.wait_for([&] {
    const Result<void> finished = written && database != nullptr ? compaction->finish() : written;
    compaction.reset();  // another one may begin now
    return finished;
  });
  if (database == nullptr) return done(removed_meanwhile());
  database->compacting = false;
  database->compacted_ms = ports_.clock.monotonic_ms();
  DatabaseFigures& figures = *database->figures;
  DatabaseFigures::count(written ? figures.compactions : figures.failed_compactions);
  if (trim_on_compaction_) give_back_memory();
  done(written);
  // One of them may begin another compaction; those that come after it then wait for that one.
  for (const auto& told : std::exchange(database->after_compaction, {})) told(written);
}

Result<void> DatabaseServer::convert(ServedDatabase& database, const SchemaRef& schema) {
  if (database.compacting) return Error{"", "the database is being compacted", std::nullopt};
  flush();
  Result<StoredDatabase::Converted> converted = database.stored->converted_to(schema);
  if (!converted) return converted.error();
  const Result<void> written =
      writer_.wait_for([&] { return database.stored->write(converted.value()); });
  if (!written) return written;
  database.stored->adopt(std::move(converted.value()));
  cancel_blocked(database);
  const Error refused{"not allowed",
                      "the database was converted before enough backups had acknowledged",
                      std::nullopt};
  release(database, &refused);
  database.followers.lose_all();
  database.gate.logged(database.stored->position());
  database.info = std::make_shared<const DatabaseInfo>(DatabaseInfo{
      database.info->name, next_generation_++, schema, database.info->file, database.info->log});
  describe(database);
  directory_changed_ = true;
  return {};
}

}  // namespace tandem
