#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/storage/file_system.h"
#include "server/storage/log_file.h"

namespace tandem::storage {

/// Gives the next piece of a text, valid until the next call; an empty one at the end.
using ChunkSource = std::function<std::string_view()>;

/// The replacement of a log by a file of two records, the schema and a snapshot, and of those
/// appended meanwhile. It is built beside the log (NAME.tmp, with a lock of its own) while
/// transactions go on, and renamed over it at last; where the name cannot be given to another file,
/// as that of a mount, the log is overwritten. Also how a schema is converted.
///
/// One per log at a time. begin(), finish() and destroying it belong to the log's writer thread,
/// and wait for the disk; write_snapshot() to any one thread between them. The log must outlive it.
/// Destroyed before finish() succeeded it leaves the log as it was.
class Compaction {
 public:
  /// Fails when the new file cannot be made, or the log cannot be written. The snapshot must show
  /// the database as it is at this call: later records of the log are added to it.
  static Result<std::unique_ptr<Compaction>> begin(LogFile& log);

  ~Compaction();
  Compaction(const Compaction&) = delete;
  Compaction& operator=(const Compaction&) = delete;

  /// Writes the bulk: schema, snapshot, and what the log has got by now, all durable. `snapshot`
  /// gives the body of the snapshot record: a JSON object without newlines, with snapshot_mark() in
  /// its comment. After a failure only the destructor may be called.
  Result<void> write_snapshot(std::string_view schema, const ChunkSource& snapshot);
  /// The same on the log's writer thread, which can write nothing else meanwhile: the log's health
  /// tells of a disk that hangs.
  Result<void> write_snapshot_on_writer(std::string_view schema, const ChunkSource& snapshot);

  /// Adds the records that are still missing, makes the file durable and puts it in place of the
  /// log. Takes some milliseconds; if the log is overwritten, as long as it takes to write the file
  /// twice. On failure the log goes on as it was, unless what the file holds took_place(): then the
  /// log takes no more records, or none until what is left to be done succeeds. Requires that
  /// write_snapshot() succeeded.
  Result<void> finish();
  /// What the new file holds is the log, also after a crash.
  bool took_place() const { return stage_ == Stage::kDone; }

 private:
  /// How far it is.
  enum class Stage {
    kBegun,    ///< the new file is empty
    kWritten,  ///< it holds the snapshot
    kFailed,   ///< it is of no use
    kDone      ///< it is the log
  };

  Compaction(LogFile& log, std::string path, std::unique_ptr<FileLock> lock,
             std::shared_ptr<File> file);

  Result<void> write_snapshot_to(File& to, std::string_view schema, const ChunkSource& snapshot);
  IoResult<void> write_schema(File& to, std::string_view schema);
  IoResult<void> stream(File& to, const ChunkSource& snapshot);
  /// Where no other file can take the log's name.
  Result<void> overwrite();
  /// Copies what the log has and the new file has not, and syncs the new file.
  IoResult<void> catch_up(File& to);
  Error failed(boost::system::error_code error);

  LogFile& log_;
  const std::string path_;  ///< NAME.tmp, beside the log itself
  std::unique_ptr<FileLock> lock_;
  const std::shared_ptr<File> file_;
  const std::shared_ptr<File> old_;  ///< the log's file
  std::uint64_t copied_;             ///< bytes of the old file that the new one stands for
  const std::uint64_t commits_;      ///< the log's when this began

  Stage stage_ = Stage::kBegun;
  std::uint64_t end_ = 0;  ///< of the new file
  std::uint64_t compacted_size_ = 0;
};

}  // namespace tandem::storage
