#include "server/backup/database_replica.h"

#include <utility>

#include "replication/resync.h"

namespace tandem {

/// What jobs under way hold on to.
struct DatabaseReplica::Shared : std::enable_shared_from_this<DatabaseReplica::Shared> {
  DatabaseServer& server;
  TaskRunner& runner;
  DatabaseInfoRef database;
  std::vector<bool> excluded;  // by table
  bool alive = true;           // replication thread only

  Shared(DatabaseServer& s, TaskRunner& r, DatabaseInfoRef d)
      : server(s), runner(r), database(std::move(d)) {}

  /// On the writer: the database, if it is still the one that this replica was made for, and a
  /// backup.
  ServedDatabase* find() {
    ServedDatabase* served = server.find(database->name);
    return served != nullptr && served->info == database && served->backup ? served : nullptr;
  }
  void finish(const Done& done, const Result<void>& outcome) {
    runner.post([self = shared_from_this(), done, outcome] {
      if (self->alive) done(outcome);
    });
  }
  static Error not_a_backup() {
    return {"not allowed", "the database is no backup any more", std::nullopt};
  }

  void compare(const std::shared_ptr<const std::vector<RowUpdate>>& rows, const Snapshot& snapshot,
               const Done& done);
  void commit(const std::shared_ptr<const std::vector<RowUpdate>>& rows,
              std::vector<RowChange> changes, const Done& done);
  void start_resync(const std::shared_ptr<const std::vector<RowUpdate>>& rows, const Done& done);
};

DatabaseReplica::DatabaseReplica(DatabaseServer& server, TaskRunner& runner,
                                 DatabaseInfoRef database, std::set<std::string> excluded_tables)
    : server_(server),
      runner_(runner),
      database_(std::move(database)),
      excluded_tables_(std::move(excluded_tables)),
      shared_(std::make_shared<Shared>(server_, runner_, database_)) {
  for (const TableSchema& table : database_->schema->tables()) {
    shared_->excluded.push_back(excluded_tables_.contains(table.name));
  }
}

DatabaseReplica::~DatabaseReplica() { shared_->alive = false; }

bool DatabaseReplica::excluded(TableIndex table) const { return shared_->excluded[table]; }

void DatabaseReplica::resync(std::vector<RowUpdate> rows, Done done) {
  shared_->start_resync(std::make_shared<const std::vector<RowUpdate>>(std::move(rows)), done);
}

// A resync takes three steps: a snapshot on the writer, the comparison here, the commit on the
// writer.

void DatabaseReplica::Shared::start_resync(
    const std::shared_ptr<const std::vector<RowUpdate>>& rows, const Done& done) {
  server.submit(
      [self = shared_from_this(), rows, done] {
        self->server.flush();
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish(done, not_a_backup());
        self->runner.post([self, rows, done, snapshot = served->stored->database().snapshot()] {
          if (self->alive) self->compare(rows, snapshot, done);
        });
      },
      runner);
}

void DatabaseReplica::Shared::compare(const std::shared_ptr<const std::vector<RowUpdate>>& rows,
                                      const Snapshot& snapshot, const Done& done) {
  const RowSource held = [&snapshot](TableIndex table,
                                     const std::function<void(const RowRef&)>& row) {
    for (const ChunkRef& chunk : snapshot.tables[table].chunks()) {
      for (const RowRef& held_row : chunk->rows) {
        if (held_row) row(held_row);
      }
    }
  };
  std::vector<RowChange> changes = resync_difference(
      *database->schema, *rows, held, [this](TableIndex table) { return !excluded[table]; });
  server.submit([self = shared_from_this(), rows, changes = std::move(changes),
                 done]() mutable { self->commit(rows, std::move(changes), done); },
                runner);
}

void DatabaseReplica::Shared::commit(const std::shared_ptr<const std::vector<RowUpdate>>& rows,
                                     std::vector<RowChange> changes, const Done& done) {
  ServedDatabase* served = find();
  if (served == nullptr) return finish(done, not_a_backup());
  for (const RowChange& change : changes) {
    // A backup has no writer but us; should the server itself have written meanwhile, compare
    // again.
    if (served->stored->database().find(change.table, change.uuid()) != change.before)
      return start_resync(rows, done);
  }
  server.replicate(*served, std::move(changes),
                   [self = shared_from_this(), done](const Result<void>& written) {
                     self->finish(done, written);
                   });
}

void DatabaseReplica::apply(std::vector<RowUpdate> updates, Done done) {
  server_.submit(
      [self = shared_, updates = std::move(updates), done] {
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish(done, Shared::not_a_backup());
        std::vector<RowChange> changes;
        changes.reserve(updates.size());
        for (const RowUpdate& update : updates) {
          RowRef before = served->stored->database().find(update.table, update.uuid);
          Result<RowRef> after = updated_row(*self->database->schema, update, before);
          if (!after) return self->finish(done, after.error());
          changes.push_back({update.table, std::move(before), std::move(after.value())});
        }
        self->server.replicate(
            *served, std::move(changes),
            [self, done](const Result<void>& written) { self->finish(done, written); });
      },
      runner_);
}

}  // namespace tandem
