#include "server/database/stored_database.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

#include "protocol/json/json_reader.h"
#include "protocol/table_updates.h"

// The history at the start. Whoever resumes after a restart has mostly been away for seconds, and
// who was away for longer is served nearly as cheaply by the rows (clients) or a comparison
// (backups). So the history is not filled up from the log, but with records of a quarter of the
// database's size. Filled up, with 64 MiB, a log of 200,000 transactions took 114 MiB and 0.71 s;
// so it takes 30 MiB.

namespace tandem {
namespace {

std::chrono::system_clock::time_point wall_time(const Clock& clock) {
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(clock.wall_ms()));
}

/// The id of a commit that is in no file: it must differ from the ids around it and need not
/// outlive the process.
Uuid ephemeral_id(const Uuid& before) {
  return Uuid{before.hi ^ 0x657068656d657261ULL, before.lo + 1};
}

bool have_equal_columns(const Row& a, const Row& b) {
  for (ColumnIndex i = kFirstOwnColumn; i < kFirstOwnColumn + a.own_columns(); ++i) {
    if (!(a.datum(i) == b.datum(i))) return false;
  }
  return true;
}

}  // namespace

StoredDatabase::StoredDatabase(std::unique_ptr<Database> database,
                               std::shared_ptr<storage::LogFile> log, const Options& options,
                               const Clock& clock)
    : options_(options),
      clock_(clock),
      database_(std::move(database)),
      log_(std::move(log)),
      history_(options.history_bytes.value_or(History::bytes_for(0))) {}

std::unique_ptr<StoredDatabase> StoredDatabase::in_memory(SchemaRef schema, const Clock& clock) {
  auto stored = std::unique_ptr<StoredDatabase>(
      new StoredDatabase(std::make_unique<Database>(std::move(schema)), nullptr, Options{}, clock));
  Position& position = stored->standing_.position;
  position.digest = Uuid::random();
  stored->staged_standing_ = stored->standing_;
  stored->history_.reset(position.digest, position);
  return stored;
}

Result<std::unique_ptr<StoredDatabase>> StoredDatabase::open(storage::FileSystem& files,
                                                             const std::string& path,
                                                             const Options& options,
                                                             const Clock& clock) {
  std::unique_ptr<StoredDatabase> stored;
  const auto replay = [&](const storage::Record& record) -> Result<void> {
    if (stored) return stored->replay(record);
    const Result<JsonDocument> schema_json = record.object();
    if (!schema_json) return schema_json.error();
    Result<SchemaRef> schema = DatabaseSchema::from_json(*schema_json);
    if (!schema) return schema.error();
    stored.reset(new StoredDatabase(std::make_unique<Database>(std::move(schema.value())), nullptr,
                                    options, clock));
    Position& position = stored->standing_.position;
    position = first_position(record.sha1);
    stored->history_.reset(position.digest, position);
    return {};
  };
  Result<std::unique_ptr<storage::LogFile>> log =
      storage::LogFile::open(files, path, options.access, wall_time(clock), replay);
  if (!log) return log.error();
  // The process may leave its folder when it goes into the background.
  stored->path_ = std::filesystem::absolute(path).string();
  stored->log_ = std::move(log.value());
  stored->staged_standing_ = stored->standing_;
  return stored;
}

Result<void> StoredDatabase::replay(const storage::Record& record) {
  Result<DecodedRecord> decoded = decode_record(*database_, record.body);
  if (!decoded) {
    // The decoder reads no more JSON than it needs: what is none is better explained as such.
    const Result<JsonDocument> object = record.object();
    return object ? decoded.error() : object.error();
  }
  // A compacted file begins with all rows in one record.
  const bool is_base =
      record.index == 1 || PositionMarks::parse(decoded.value().comment).snapshot.has_value();
  if (Result<void> taken =
          database_->take_over(decoded.value().changes, Database::References::kHoles);
      !taken)
    return taken;
  const std::string& comment = decoded.value().comment;
  standing_.advance(after_record(position(), record.sha1, comment), comment);
  if (is_base) base_bytes_ = record.body.size();
  if (is_base || !is_recent(record)) {
    history_.reset(position().digest, position());
    return {};
  }
  auto commit = std::make_shared<Commit>();
  commit->schema = schema();
  commit->changes = std::move(decoded.value().changes);
  commit->comment = std::move(decoded.value().comment);
  commit->persistent = true;
  commit->position = position();
  commit->id = position().digest;
  commit->record = record.body;
  if (commit->record.ends_with('\n')) commit->record.pop_back();
  bound_history();
  history_.push(std::move(commit));
  return {};
}

bool StoredDatabase::is_recent(const storage::Record& record) const {
  constexpr std::uint64_t kLeast = 2 << 20;
  return record.bytes_behind < std::max<std::uint64_t>(kLeast, base_bytes_ / 4);
}

TransactOutcome StoredDatabase::execute(Transaction& transaction, const TransactContext& context) {
  TransactOutcome outcome = database_->execute(transaction, context);
  if (outcome.commit) {
    outcome.commit->comment = without_marks(outcome.commit->comment);
    stage(outcome.commit);
  }
  return outcome;
}

Result<std::shared_ptr<Commit>> StoredDatabase::take_over(std::vector<RowChange> changes,
                                                          std::string comment,
                                                          Database::References references) {
  auto commit = std::make_shared<Commit>();
  commit->schema = schema();
  std::stable_sort(changes.begin(), changes.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table < b.table; });
  commit->changes = std::move(changes);
  commit->comment = std::move(comment);
  commit->persistent = true;
  if (Result<void> taken = database_->take_over(commit->changes, references); !taken)
    return taken.error();
  return commit;
}

Result<CommitRef> StoredDatabase::stage_changes(std::vector<RowChange> changes, std::string comment,
                                                Database::References references) {
  const auto commit = take_over(std::move(changes), std::move(comment), references);
  if (!commit) return commit.error();
  replace_damage();
  stage(*commit);
  return CommitRef(*commit);
}

Result<CommitRef> StoredDatabase::stage_relayed(std::vector<RowChange> changes, const Uuid& id) {
  const auto commit = take_over(std::move(changes), "", Database::References::kWhole);
  if (!commit) return commit.error();
  (*commit)->id = id;
  stage_at(*commit, Position{{}, position().index + 1, id});
  return CommitRef(*commit);
}

CommitRef StoredDatabase::stage_comment(std::string comment) {
  auto commit = std::make_shared<Commit>();
  commit->schema = schema();
  commit->comment = std::move(comment);
  commit->persistent = true;
  stage(commit);
  return commit;
}

void StoredDatabase::stage(const std::shared_ptr<Commit>& commit) {
  if (commit->persistent && log_ != nullptr) {
    commit->record =
        encode_record(*schema(), commit->changes, commit->comment, clock_.wall_ms(),
                      options_.column_diff ? ColumnForm::kDifference : ColumnForm::kWhole);
    records_.push_back(storage::prepare_record(commit->record));
    const Position after = after_record(position(), records_.back().sha1, commit->comment);
    commit->id = after.digest;
    stage_at(commit, after);
  } else {
    commit->id = ephemeral_id(staged_.empty() ? history_.newest_id() : staged_.back()->id);
    stage_at(commit, position());
  }
}

void StoredDatabase::stage_at(const std::shared_ptr<Commit>& commit, const Position& position) {
  standing_.advance(position, commit->comment);
  commit->position = position;
  staged_.push_back(commit);
}

Result<CommitRef> StoredDatabase::stage_record(const StreamRecord& record) {
  auto commit = std::make_shared<Commit>();
  commit->schema = schema();
  commit->record = record.record;
  commit->persistent = !record.record.empty();
  commit->id = record.id;
  commit->durable = record.durable;
  Position after = position();
  std::optional<storage::PreparedRecord> prepared;
  if (commit->persistent) {
    if (record.record.find('\n') != std::string::npos)
      return syntax_error(nullptr, "a record is more than one line");
    Result<DecodedRecord> decoded = decode_record(*database_, commit->record);
    if (!decoded) return decoded.error();
    commit->changes = std::move(decoded.value().changes);
    commit->comment = std::move(decoded.value().comment);
    prepared = storage::prepare_record(commit->record);
    after = after_record(position(), prepared->sha1, commit->comment);
  }
  if (after != record.position) {
    return Error{
        "diverged",
        "a record leads to " + after.to_string() + ", not to " + record.position.to_string(),
        std::nullopt};
  }
  if (!record.ephemeral.empty()) {
    if (Result<void> added = add_ephemeral(record.ephemeral, commit->changes); !added)
      return added.error();
  }
  if (Result<void> taken = database_->take_over(commit->changes, Database::References::kWhole);
      !taken)
    return taken.error();
  if (prepared && log_ != nullptr) records_.push_back(std::move(*prepared));
  replace_damage();
  stage_at(commit, after);
  return CommitRef(commit);
}

Result<void> StoredDatabase::add_ephemeral(std::string_view updates,
                                           std::vector<RowChange>& changes) const {
  const Result<JsonDocument> document = parse_json(updates);
  if (!document) return document.error();
  Result<std::vector<RowUpdate>> read =
      table_updates_from_json(*schema(), MonitorVersion::kUpdate, *document);
  if (!read) return read.error();
  std::map<std::pair<TableIndex, Uuid>, std::size_t> number_of;  // in `changes`
  for (std::size_t i = 0; i < changes.size(); ++i)
    number_of.emplace(std::pair(changes[i].table, changes[i].uuid()), i);
  for (const RowUpdate& update : read.value()) {
    // Anything else has to be in the record: memory and file must agree.
    const std::vector<ColumnSchema>& columns = schema()->table(update.table).columns;
    if (update.kind != RowUpdate::Kind::kSet ||
        !std::all_of(update.columns.begin(), update.columns.end(),
                     [&](const ColumnValue& value) { return columns[value.column].ephemeral; })) {
      return syntax_error(nullptr, "values beside a record are not of ephemeral columns");
    }
    const auto changed = number_of.find({update.table, update.uuid});
    const bool is_new = changed == number_of.end();
    RowRef row =
        is_new ? database_->find(update.table, update.uuid) : changes[changed->second].after;
    Result<RowRef> after = updated_row(*schema(), update, row);
    if (!after) return after.error();
    if (!is_new) {
      changes[changed->second].after = std::move(after.value());
    } else if (!row || !have_equal_columns(*row, *after.value())) {
      changes.push_back({update.table, std::move(row), std::move(after.value())});
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const RowChange& a, const RowChange& b) { return a.table < b.table; });
  return {};
}

Result<void> StoredDatabase::flush() {
  Result<void> written = write();
  settle(written);
  return written;
}

Result<void> StoredDatabase::write() {
  if (records_.empty()) return {};
  if (Result<void> aside = set_damage_aside(); !aside) return aside;
  return log_->append(records_);
}

void StoredDatabase::settle(const Result<void>& written) {
  if (!written) {
    for (auto commit = staged_.rbegin(); commit != staged_.rend(); ++commit) {
      database_->revert(**commit);
    }
    standing_ = staged_standing_;
  } else {
    bound_history();
    for (CommitRef& commit : staged_) history_.push(std::move(commit));
  }
  staged_standing_ = standing_;
  staged_.clear();
  records_.clear();
}

void StoredDatabase::bound_history() {
  if (!options_.history_bytes) history_.set_max_bytes(History::bytes_for(database_->row_count()));
}

Result<void> StoredDatabase::set_damage_aside() {
  if (log_ == nullptr || !std::exchange(replaces_damage_, false)) return {};
  return log_->set_damage_aside();
}

}  // namespace tandem
