#include "server/relay/relay_database.h"

#include <algorithm>
#include <utility>

#include "replication/resync.h"

namespace tandem {
namespace {

/// Contents on their way into the database.
struct Contents {
  SchemaRef schema;
  std::vector<RowUpdate> rows;
  Uuid id;
  RelayCopy::Done done;
};
using ContentsRef = std::shared_ptr<const Contents>;

RowSource rows_of(const Snapshot& snapshot) {
  return [&snapshot](TableIndex table, const std::function<void(const RowRef&)>& row) {
    for (const ChunkRef& chunk : snapshot.tables[table].chunks()) {
      for (const RowRef& held : chunk->rows)
        if (held) row(held);
    }
  };
}

Result<std::unique_ptr<Database>> database_of(const Contents& contents) {
  std::vector<RowChange> changes;
  changes.reserve(contents.rows.size());
  for (const RowUpdate& update : contents.rows) {
    Result<RowRef> row = updated_row(*contents.schema, update, nullptr);
    if (!row) return row.error();
    changes.push_back({update.table, nullptr, std::move(*row)});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table < b.table; });
  auto database = std::make_unique<Database>(contents.schema);
  if (const Result<void> taken = database->take_over(changes, Database::References::kWhole); !taken)
    return taken.error();
  return database;
}

}  // namespace

/// What jobs under way hold on to.
struct RelayDatabase::Shared : std::enable_shared_from_this<RelayDatabase::Shared> {
  DatabaseServer& server;
  TaskRunner& runner;
  const std::string name;
  bool alive = true;  // relay's thread only
  // Contents are compared here, between two jobs of the writer; what comes behind them waits.
  struct Job {
    Task task;
    bool compares;
  };
  bool comparing = false;   // relay's thread only
  std::deque<Job> waiting;  // relay's thread only

  Shared(DatabaseServer& s, TaskRunner& r, std::string n)
      : server(s), runner(r), name(std::move(n)) {}

  /// On the writer: the database, if it is still there and a relay.
  ServedDatabase* find() const {
    ServedDatabase* const served = server.find(name);
    return served != nullptr && served->is_relay() ? served : nullptr;
  }
  static Error gone() { return {"not allowed", "the database was removed", std::nullopt}; }
  /// Runs on the relay's thread, if the copy is still there.
  template <class F>
  void tell(F&& f) {
    runner.post([self = shared_from_this(), f = std::forward<F>(f)]() mutable {
      if (self->alive) f();
    });
  }
  void finish(const Done& done, const Result<void>& outcome) {
    tell([done, outcome] { done(outcome); });
  }

  void submit(Task task, bool compares = false) {
    if (comparing) return waiting.push_back({std::move(task), compares});
    comparing = compares;
    server.submit(std::move(task), runner);
  }
  /// On the relay's thread: the comparison has come to its last job, or to nothing.
  void end_comparison() {
    comparing = false;
    for (Job& job : std::exchange(waiting, {})) submit(std::move(job.task), job.compares);
  }

  void compare(const ContentsRef& contents, const Snapshot& snapshot);
  void replace(const ContentsRef& contents);
  void commit(const Contents& contents, std::vector<RowChange> changes);
};

RelayDatabase::RelayDatabase(DatabaseServer& server, TaskRunner& runner, std::string name)
    : shared_(std::make_shared<Shared>(server, runner, std::move(name))) {}

RelayDatabase::~RelayDatabase() { shared_->alive = false; }

void RelayDatabase::submit(Task job) { shared_->submit(std::move(job)); }

void RelayDatabase::take_contents(const SchemaRef& schema, std::vector<RowUpdate> rows,
                                  const Uuid& id, Done done) {
  const auto contents =
      std::make_shared<const Contents>(Contents{schema, std::move(rows), id, std::move(done)});
  const auto begin = [self = shared_, contents] {
    self->server.flush();
    const ServedDatabase* const served = self->find();
    if (served == nullptr) {
      self->finish(contents->done, Shared::gone());
      return self->tell([self] { self->end_comparison(); });
    }
    if (served->stored->schema() != contents->schema)
      return self->tell([self, contents] { self->replace(contents); });
    self->tell([self, contents, snapshot = served->stored->database().snapshot()] {
      self->compare(contents, snapshot);
    });
  };
  shared_->submit(begin, true);
}

void RelayDatabase::Shared::compare(const ContentsRef& contents, const Snapshot& snapshot) {
  Result<std::vector<RowChange>> changes = resync_difference(
      *contents->schema, contents->rows, rows_of(snapshot), [](TableIndex) { return true; });
  if (!changes) {
    contents->done(changes.error());
  } else {
    server.submit(
        [self = shared_from_this(), contents, changes = std::move(*changes)]() mutable {
          self->commit(*contents, std::move(changes));
        },
        runner);
  }
  end_comparison();
}

void RelayDatabase::Shared::commit(const Contents& contents, std::vector<RowChange> changes) {
  ServedDatabase* const served = find();
  if (served == nullptr) return finish(contents.done, gone());
  server.relay(*served, std::move(changes), contents.id,
               [self = shared_from_this(), done = contents.done](const Result<void>& written) {
                 self->finish(done, written);
               });
}

/// The rows are made here, off the writer, who only takes them over.
void RelayDatabase::Shared::replace(const ContentsRef& contents) {
  Result<std::unique_ptr<Database>> rows = database_of(*contents);
  if (!rows) {
    contents->done(rows.error());
  } else {
    server.submit(
        [self = shared_from_this(), contents, rows = std::move(*rows)]() mutable {
          ServedDatabase* const served = self->find();
          if (served == nullptr) return self->finish(contents->done, gone());
          self->server.replace_relayed(*served, std::move(rows), contents->id);
          self->finish(contents->done, {});
        },
        runner);
  }
  end_comparison();
}

void RelayDatabase::apply(const SchemaRef& schema, std::vector<RowUpdate> updates, const Uuid& id,
                          Done done) {
  submit([self = shared_, schema, updates = std::move(updates), id, done = std::move(done)] {
    ServedDatabase* const served = self->find();
    if (served == nullptr) return self->finish(done, Shared::gone());
    const Database& database = served->stored->database();
    if (database.schema() != schema)
      return self->finish(done, Error{"", "it is of another schema", std::nullopt});
    std::vector<RowChange> changes;
    changes.reserve(updates.size());
    for (const RowUpdate& update : updates) {
      RowRef before = database.find(update.table, update.uuid);
      Result<RowRef> after = updated_row(*schema, update, before);
      if (!after) return self->finish(done, after.error());
      changes.push_back({update.table, std::move(before), std::move(*after)});
    }
    self->server.relay(*served, std::move(changes), id,
                       [self, done](const Result<void>& written) { self->finish(done, written); });
  });
}

void RelayDatabase::set_path(std::vector<Uuid> path, bool read_only) {
  submit([self = shared_, path = std::move(path), read_only]() mutable {
    ServedDatabase* const served = self->find();
    if (served == nullptr) return;
    served->source.path = std::move(path);
    served->source.read_only = read_only;
  });
}

void RelayDatabase::set_connected(bool connected) {
  submit([self = shared_, connected] {
    if (ServedDatabase* const served = self->find()) self->server.set_connected(*served, connected);
  });
}

}  // namespace tandem
