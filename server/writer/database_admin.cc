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

Error removed_meanwhile() { return {"", "the database was removed meanwhile", std::nullopt}; }

}  // namespace

Result<void> DatabaseServer::add(std::unique_ptr<StoredDatabase> stored) {
  DatabaseInfo info{.name = stored->schema()->name(),
                    .schema = stored->schema(),
                    .file = stored->path(),
                    .log = stored->log()};
  Result<ServedDatabase*> added = catalogue_.add(
      std::make_unique<ServedDatabase>(std::move(stored), ports_.clock.monotonic_ms()),
      std::move(info));
  if (!added) return added.error();
  ServedDatabase& database = **added;
  database.set_role(database.stored->is_damaged(), write_deadline_ms_);
  database.gate.configure(sync_);
  database.gate.logged(database.stored->position());
  server_rows_.describe(database);
  return {};
}

Result<void> DatabaseServer::remove(std::string_view name) {
  ServedDatabase* const found = find(name);
  if (found == nullptr) return Error{"", "Failed to find the database.", std::nullopt};
  ServedDatabase& database = *found;
  if (database.is_built_in()) return Error{"", "Cannot remove reserved database.", std::nullopt};
  transactions_.cancel_blocked(database);
  flush();
  database.followers.lose_all();
  const Error refused{"not allowed",
                      "the database was removed before enough backups had acknowledged",
                      std::nullopt};
  outbox_.release(database, &refused);
  server_rows_.remove(database);
  const auto waiting = database.end_compaction(ports_.clock.monotonic_ms());
  catalogue_.remove(database);
  for (const auto& told : waiting) told(removed_meanwhile());
  return {};
}

void DatabaseServer::set_write_deadline(std::optional<std::int64_t> at_ms) {
  write_deadline_ms_ = at_ms;
  for (const auto& [name, database] : databases()) database->set_deadline(at_ms);
  server_rows_.show_roles();
  schedule_wake();
}

bool DatabaseServer::is_backup() const {
  bool any = false;
  for (const auto& [name, database] : databases()) {
    if (database->is_built_in()) continue;
    if (!database->is_copy()) return false;
    any = true;
  }
  return any;
}

void DatabaseServer::set_backup(ServedDatabase& database, bool backup) {
  backup = backup || database.stored->is_damaged();
  if (database.is_backup() == backup || database.is_relay()) return;
  flush();
  if (backup) {
    const Error refused{"not allowed",
                        "the server became a backup before enough backups had acknowledged",
                        std::nullopt};
    outbox_.release(database, &refused);
  }
  database.set_role(backup, write_deadline_ms_);
  if (!backup) DatabaseFigures::count(database.figures->promotions);
  std::string role = role_notification(database.info->name, backup);
  const std::size_t bytes = role.size();
  database.followers.tell(
      std::make_shared<const StreamText>([role = std::move(role)] { return role; }, bytes));
  // Before newcomers are let in: one that has gone on to a database by then would be closed, since
  // it has not said yet that it knows of such changes.
  outbox_.tell_role_change();
  server_rows_.show_roles();
  transactions_.retry_all(database);
  outbox_.tell_databases_changed();
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
  if (!database.is_backup() && (!above || database.stored->position().epoch > *above)) return {};
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
    outbox_.put(std::move(outgoing));
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

void DatabaseServer::look_at_failing_logs() {
  for (const auto& [name, database] : databases()) {
    storage::LogFile* const log = database->stored->log().get();
    if (log != nullptr && log->is_failing()) writer_.wait_for([log] { return log->look_again(); });
  }
}

void DatabaseServer::compact(ServedDatabase& database,
                             std::function<void(const Result<void>&)> done) {
  if (database.stored->log() == nullptr) return done({});
  if (database.is_compacting()) return database.await_compaction(std::move(done));
  flush();
  Result<std::unique_ptr<storage::Compaction>> begun =
      writer_.wait_for([&] { return storage::Compaction::begin(*database.stored->log()); });
  if (!begun) {
    DatabaseFigures::count(database.figures->failed_compactions);
    database.end_compaction(ports_.clock.monotonic_ms());
    return done(begun.error());
  }
  database.begin_compaction();
  // A client thread becomes the writer for the end: the background thread may have more to do.
  TaskRunner& runner = outbox_.runner_or(ports_.background);
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
  const auto waiting = database->end_compaction(ports_.clock.monotonic_ms());
  DatabaseFigures& figures = *database->figures;
  DatabaseFigures::count(written ? figures.compactions : figures.failed_compactions);
  if (trim_on_compaction_) give_back_memory();
  done(written);
  // One of them may begin another compaction; those that come after it then wait for that one.
  for (const auto& told : waiting) told(written);
}

Result<void> DatabaseServer::convert(ServedDatabase& database, const SchemaRef& schema) {
  if (database.is_compacting()) return Error{"", "the database is being compacted", std::nullopt};
  flush();
  Result<StoredDatabase::Converted> converted = database.stored->converted_to(schema);
  if (!converted) return converted.error();
  const Result<void> written =
      writer_.wait_for([&] { return database.stored->write(converted.value()); });
  if (!written) return written;
  database.stored->adopt(std::move(converted.value()));
  transactions_.cancel_blocked(database);
  const Error refused{"not allowed",
                      "the database was converted before enough backups had acknowledged",
                      std::nullopt};
  outbox_.release(database, &refused);
  database.followers.lose_all();
  database.gate.logged(database.stored->position());
  DatabaseInfo info = *database.info;
  info.schema = schema;
  catalogue_.renew(database, std::move(info));
  server_rows_.describe(database);
  return {};
}

}  // namespace tandem
