#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "replication/standing.h"
#include "replication/stream.h"
#include "server/base/clock.h"
#include "server/database/database.h"
#include "server/database/history.h"
#include "server/database/record_codec.h"
#include "server/storage/log_file.h"

namespace tandem {

/// One database as it is served: its rows, its log, its position, its history. Commits are staged
/// as they execute and become permanent together at flush(). Owned by the writer.
class StoredDatabase {
 public:
  struct Options {
    std::optional<std::size_t> history_bytes;  ///< nothing: by the number of rows
    bool column_diff = true;  ///< write differences of sets and maps (ovsdb(5) "_is_diff")
    /// Read-only: without lock; then nothing may be flushed.
    storage::LogFile::Access access = storage::LogFile::Access::kReadWrite;
  };

  /// Opens the log and replays it. Errors as ovsdb-server words them. A clustered file is refused.
  static Result<std::unique_ptr<StoredDatabase>> open(storage::FileSystem& files,
                                                      const std::string& path,
                                                      const Options& options, const Clock& clock);
  /// A database without a file, such as "_Server".
  static std::unique_ptr<StoredDatabase> in_memory(SchemaRef schema, const Clock& clock);

  const SchemaRef& schema() const { return database_->schema(); }
  Database& database() { return *database_; }
  const Database& database() const { return *database_; }
  const History& history() const { return history_; }
  const Position& position() const { return standing_.position; }
  const Standing& standing() const { return standing_; }
  /// Where the log stands: the same without what is staged.
  const Standing& logged() const { return staged_standing_; }
  /// Null for a database without a file. Shared with those who make it durable.
  const std::shared_ptr<storage::LogFile>& log() const { return log_; }
  const std::string& path() const { return path_; }

  /// Executes a transaction; its commit, if any, is staged.
  TransactOutcome execute(Transaction& transaction, const TransactContext& context);

  /// Stages changes that another server should have checked, as one commit with one record. An
  /// error when they leave what no transaction leaves (Database::take_over).
  Result<CommitRef> stage_changes(std::vector<RowChange> changes, std::string comment,
                                  Database::References references);
  /// The same for a relay: the commit has this id, which is its source's.
  Result<CommitRef> stage_relayed(std::vector<RowChange> changes, const Uuid& id);
  /// Stages a commit of the active with its own text. An error when the text is not one record that
  /// fits the rows, and "diverged" when it does not lead to the position that came with it: this is
  /// not the database that the active thinks.
  Result<CommitRef> stage_record(const StreamRecord& record);
  /// Stages a record that holds nothing but a comment, e.g. a promotion.
  CommitRef stage_comment(std::string comment);

  /// The record of a compacted file: all rows, and the position in its comment. Requires that
  /// nothing is staged.
  SnapshotRecord snapshot_record() const;
  /// What the database is to be in another schema.
  struct Converted {
    std::unique_ptr<Database> rows;
    Standing standing;
  };
  /// Moves the rows to another schema, beside those that there are. Requires that nothing is
  /// staged.
  Result<Converted> converted_to(const SchemaRef& schema) const;
  /// Writes the file anew. The rows are as they were before and after; on failure the file is, too.
  Result<void> write(const Converted& converted);
  /// After that write succeeded.
  void adopt(Converted converted);
  /// For a relay: other rows, perhaps of another schema, take the place of all that was. `id` is
  /// that of the last commit in them. Requires that nothing is staged.
  void replace(std::unique_ptr<Database> rows, const Uuid& id);

  /// The next write() puts other contents in the place of those of a damaged file, if
  /// it is one: an active's, or what its operator goes on with
  /// (storage::LogFile::set_damage_aside).
  void replace_damage() { replaces_damage_ = true; }
  bool is_damaged() const { return log_ != nullptr && log_->is_damaged(); }

  bool has_staged() const { return !staged_.empty(); }
  /// Writes what is staged with one log write. The rows are as they were before and after.
  Result<void> write();
  /// After write(): on failure all that is staged is taken back, so memory and file agree again.
  void settle(const Result<void>& written);
  /// Both.
  Result<void> flush();

 private:
  StoredDatabase(std::unique_ptr<Database> database, std::shared_ptr<storage::LogFile> log,
                 const Options& options, const Clock& clock);
  Result<void> replay(const storage::Record& record);
  Result<void> set_damage_aside();
  /// Gives a history without a size of its own the one that suits the rows.
  void bound_history();
  /// Is the record among those that the history is filled with at the start?
  bool is_recent(const storage::Record& record) const;
  /// Applies changes as a commit that is to be staged.
  Result<std::shared_ptr<Commit>> take_over(std::vector<RowChange> changes, std::string comment,
                                            Database::References references);
  /// Gives the commit its record, position and id, and puts it last in the line.
  void stage(const std::shared_ptr<Commit>& commit);
  void stage_at(const std::shared_ptr<Commit>& commit, const Position& position);
  /// Adds what ephemeral columns got to the changes of a commit.
  Result<void> add_ephemeral(std::string_view updates, std::vector<RowChange>& changes) const;

  std::string path_;
  Options options_;
  const Clock& clock_;
  std::unique_ptr<Database> database_;
  std::shared_ptr<storage::LogFile> log_;
  Standing standing_;         // after what is staged
  Standing staged_standing_;  // before what is staged
  History history_;
  bool replaces_damage_ = false;
  std::size_t base_bytes_ = 0;  // of the record with all rows that the file begins with
  std::vector<CommitRef> staged_;
  std::vector<storage::PreparedRecord>
      records_;  // of what is staged; a staged commit without one is not persistent
};

}  // namespace tandem
