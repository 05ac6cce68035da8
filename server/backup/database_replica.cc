#include "server/backup/database_replica.h"

#include <algorithm>
#include <utility>

#include "replication/resync.h"
#include "replication/row_buckets.h"
#include "server/backup/diverged_file.h"
#include "server/posix/mutex.h"

namespace tandem {

namespace {

/// The contents that a resync is to lead to.
struct Resync {
  std::vector<RowUpdate> rows;
  std::optional<BucketScope> scope;  ///< nothing: all tables that are not excluded
  std::optional<Standing> standing;  ///< of the database then; nothing: one record further
};
using ResyncRef = std::shared_ptr<const Resync>;

RowSource rows_of(const Snapshot& snapshot, const BucketScope* scope) {
  return [&snapshot, scope](TableIndex table, const std::function<void(const RowRef&)>& row) {
    for (const ChunkRef& chunk : snapshot.tables[table].chunks()) {
      for (const RowRef& held : chunk->rows) {
        if (held && (scope == nullptr || scope->contains(table, held->uuid()))) row(held);
      }
    }
  };
}

}  // namespace

/// The part of the replica that jobs under way keep alive.
struct DatabaseReplica::Shared : std::enable_shared_from_this<DatabaseReplica::Shared> {
  DatabaseServer& server;
  TaskRunner& runner;
  DatabaseInfoRef database;
  std::vector<bool> excluded;  // by table

  /// Rows may refer to rows of tables that are left out.
  Database::References references() const {
    const bool holes = std::find(excluded.begin(), excluded.end(), true) != excluded.end();
    return holes ? Database::References::kHoles : Database::References::kWhole;
  }
  bool alive = true;  // replication thread only

  struct Outcome {
    Appended done;
    Result<void> outcome;
  };
  Mutex mutex;
  std::vector<Outcome> appended GUARDED_BY(mutex);  // a task that tells them is on its way

  Shared(DatabaseServer& s, TaskRunner& r, DatabaseInfoRef d)
      : server(s), runner(r), database(std::move(d)) {}

  /// On the writer: the database, if it is still the one that this replica was made for, and a
  /// backup.
  ServedDatabase* find() {
    ServedDatabase* served = server.find(database->name);
    return served != nullptr && served->info == database && served->is_backup() ? served : nullptr;
  }
  /// Runs on the replication thread, if the replica is still there.
  template <class F>
  void tell(F&& f) {
    runner.post([self = shared_from_this(), f = std::forward<F>(f)]() mutable {
      if (self->alive) f();
    });
  }
  void finish(const Done& done, const Result<void>& outcome) {
    tell([done, outcome] { done(outcome); });
  }
  void finish_append(const Appended& done, const Result<void>& outcome);
  static Error not_a_backup() {
    return {"not allowed", "the database is no backup any more", std::nullopt};
  }

  void start_resync(const ResyncRef& resync, const Done& done);
  void compare(const ResyncRef& resync, const Snapshot& snapshot, const Done& done);
  void commit(const ResyncRef& resync, std::vector<RowChange> changes, const Done& done);
};

DatabaseReplica::DatabaseReplica(DatabaseServer& server, TaskRunner& runner,
                                 DatabaseInfoRef database, std::set<std::string> excluded_tables,
                                 bool adopts_schemas)
    : server_(server),
      runner_(runner),
      database_(std::move(database)),
      excluded_tables_(std::move(excluded_tables)),
      adopts_schemas_(adopts_schemas),
      shared_(std::make_shared<Shared>(server_, runner_, database_)) {
  for (const TableSchema& table : database_->schema->tables()) {
    shared_->excluded.push_back(excluded_tables_.contains(table.name));
  }
}

DatabaseReplica::~DatabaseReplica() { shared_->alive = false; }

bool DatabaseReplica::excluded(TableIndex table) const { return shared_->excluded[table]; }

// --- contents ---

void DatabaseReplica::resync(std::vector<RowUpdate> rows, Done done) {
  shared_->start_resync(
      std::make_shared<const Resync>(Resync{std::move(rows), std::nullopt, std::nullopt}), done);
}

void DatabaseReplica::resync_to(const Standing& standing, BucketScope scope,
                                std::vector<RowUpdate> rows, Done done) {
  shared_->start_resync(
      std::make_shared<const Resync>(Resync{std::move(rows), std::move(scope), standing}), done);
}

// A resync takes three steps: a snapshot on the writer, the comparison here, the commit on the
// writer.

void DatabaseReplica::Shared::start_resync(const ResyncRef& resync, const Done& done) {
  server.submit(
      [self = shared_from_this(), resync, done] {
        self->server.flush();
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish(done, not_a_backup());
        self->tell([self, resync, done, snapshot = served->stored->database().snapshot()] {
          self->compare(resync, snapshot, done);
        });
      },
      runner);
}

void DatabaseReplica::Shared::compare(const ResyncRef& resync, const Snapshot& snapshot,
                                      const Done& done) {
  Result<std::vector<RowChange>> changes = resync_difference(
      *database->schema, resync->rows, rows_of(snapshot, resync->scope ? &*resync->scope : nullptr),
      [&](TableIndex table) { return resync->scope || !excluded[table]; });
  if (!changes) return finish(done, changes.error());
  server.submit([self = shared_from_this(), resync, changes = std::move(changes.value()),
                 done]() mutable { self->commit(resync, std::move(changes), done); },
                runner);
}

void DatabaseReplica::Shared::commit(const ResyncRef& resync, std::vector<RowChange> changes,
                                     const Done& done) {
  ServedDatabase* served = find();
  if (served == nullptr) return finish(done, not_a_backup());
  for (const RowChange& change : changes) {
    // A backup has no writer but us; should the server itself have written meanwhile, compare
    // again.
    if (served->stored->database().find(change.table, change.uuid()) != change.before)
      return start_resync(resync, done);
  }
  const auto written = [self = shared_from_this(), done](const Result<void>& outcome) {
    self->finish(done, outcome);
  };
  if (resync->standing) {
    server.replicate(*served, std::move(changes), *resync->standing, written);
  } else {
    server.replicate(*served, std::move(changes), references(), written);
  }
}

// --- one commit ---

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
            *served, std::move(changes), self->references(),
            [self, done](const Result<void>& written) { self->finish(done, written); });
      },
      runner_);
}

void DatabaseReplica::append(StreamRecord record, Appended done) {
  server_.submit(
      [self = shared_, record = std::move(record), done = std::move(done)] {
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish_append(done, Shared::not_a_backup());
        self->server.replicate(*served, record, [self, done](const Result<void>& written) {
          self->finish_append(done, written);
        });
      },
      runner_);
}

void DatabaseReplica::Shared::finish_append(const Appended& done, const Result<void>& outcome) {
  {
    MutexLock lock(mutex);
    appended.push_back({done, outcome});
    if (appended.size() > 1) return;
  }
  tell([this] {
    std::vector<Outcome> outcomes;
    {
      MutexLock lock(mutex);
      outcomes.swap(appended);
    }
    for (std::size_t i = 0; i < outcomes.size() && alive; ++i) {
      outcomes[i].done(outcomes[i].outcome, i + 1 < outcomes.size());
    }
  });
}

// --- where it stands ---

void DatabaseReplica::standing(std::function<void(Standing)> told) {
  server_.submit(
      [self = shared_, told = std::move(told)] {
        self->server.flush();
        if (const ServedDatabase* served = self->find())
          self->tell([told, standing = served->stored->standing()] { told(standing); });
      },
      runner_);
}

void DatabaseReplica::holdings(std::function<void(Holdings)> told) {
  server_.submit(
      [self = shared_, told = std::move(told)] {
        self->server.flush();
        const ServedDatabase* served = self->find();
        if (served == nullptr) return;
        self->tell([self, told, recent = served->stored->history().recent(),
                    snapshot = served->stored->database().snapshot()] {
          const DatabaseSchema& schema = *self->database->schema;
          std::string buckets;
          RowBuckets::of(schema, rows_of(snapshot, nullptr)).append_json(buckets, schema);
          told({std::move(buckets), recent});
        });
      },
      runner_);
}

void DatabaseReplica::make_durable(Done done) {
  server_.submit(
      [self = shared_, done = std::move(done)] {
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish(done, Shared::not_a_backup());
        self->server.flush();
        self->server.make_durable(
            *served, [self, done](const Result<void>& synced) { self->finish(done, synced); });
      },
      runner_);
}

/// A file that was found damaged has lost nothing any more.
void DatabaseReplica::caught_up(Done done) {
  server_.submit(
      [self = shared_, done = std::move(done)] {
        self->server.flush();
        ServedDatabase* served = self->find();
        if (served == nullptr || !served->stored->is_damaged()) return self->finish(done, {});
        self->finish(done, self->server.mend(*served));
      },
      runner_);
}

void DatabaseReplica::set_aside(const Fork& fork, std::function<void(Result<Aside>)> done) {
  server_.submit(
      [self = shared_, fork, done = std::move(done)] {
        self->server.flush();
        const ServedDatabase* served = self->find();
        if (served == nullptr) return self->tell([done] { done(Shared::not_a_backup()); });
        const StoredDatabase& stored = *served->stored;
        std::optional<History::Tail> tail;
        if (fork.digest) {
          tail = stored.history().behind(*fork.digest);
        } else if (fork.common) {
          tail = stored.history().behind(*fork.common);
        }
        self->tell([self, done, tail = std::move(tail), path = stored.path(),
                    snapshot = stored.database().snapshot(), standing = stored.standing()] {
          const Result<DivergedFile> saved =
              tail ? save_diverged(self->server.files(), self->server.clock(), path,
                                   *self->database->schema, *tail)
                   : save_diverged(self->server.files(), self->server.clock(), path, snapshot,
                                   standing);
          if (!saved) return done(saved.error());
          done(Aside{saved.value().path, saved.value().records});
        });
      },
      runner_);
}

void DatabaseReplica::adopt(SchemaRef schema, Done done) {
  server_.submit(
      [self = shared_, schema = std::move(schema), done = std::move(done)] {
        self->server.flush();
        ServedDatabase* served = self->find();
        if (served == nullptr) return self->finish(done, Shared::not_a_backup());
        served->stored->replace_damage();
        self->finish(done, self->server.convert(*served, schema));
      },
      runner_);
}

}  // namespace tandem
