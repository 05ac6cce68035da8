#include <fmt/chrono.h>
#include <fmt/core.h>

#include <ctime>
#include <memory>
#include <optional>
#include <ostream>

#include "protocol/json/fields.h"
#include "server/database/database.h"
#include "server/database/record_codec.h"
#include "server/storage/log_file.h"
#include "server/tool/command.h"
#include "server/tool/damaged_file.h"
#include "server/tool/database_file.h"

// What can be saved of a damaged file. Records before the damage go into the new file as they
// stand, so that its position is one of the old history, as that of a copy that is behind. Records
// after it are changes of rows as they were: they follow where they fit, which leads to a history
// of its own. One that says to lead to a certain position, as that of a resync, does not any more.

namespace tandem::tool {
namespace {

using storage::LogFile;
using storage::Record;

std::string_view without_newline(std::string_view body) {
  if (body.ends_with('\n')) body.remove_suffix(1);
  return body;
}

/// When a record was written, as far as it tells.
std::string date_of(const Record& record) {
  const Result<Json> object = read_object(record);
  const auto* date = object ? find_as<std::int64_t>(*object, "_date") : nullptr;
  if (date == nullptr) return "of unknown date";
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(*date / 1000)));
}

/// The new file as it comes to be. Lives for one command.
class Salvage {
 public:
  Salvage(const Environment& environment, std::string path)
      : environment_(environment), path_(std::move(path)) {}
  ~Salvage() {
    if (is_finished_ || log_ == nullptr) return;
    log_.reset();
    (void)environment_.files.unlink(path_);
  }
  Salvage(const Salvage&) = delete;
  Salvage& operator=(const Salvage&) = delete;

  Result<void> begin(std::string_view schema) {
    Result<SchemaRef> read = DatabaseSchema::from_text(schema);
    if (!read) return read.error();
    rows_.emplace(std::move(read.value()));
    Result<std::unique_ptr<LogFile>> log = LogFile::create(environment_.files, path_, schema);
    if (!log) return log.error();
    log_ = std::move(*log);
    return {};
  }
  bool has_begun() const { return log_ != nullptr; }

  void lose(const Gap& gap) {
    has_gap_ = true;
    environment_.out << "lost: " << gap.to_string() << '\n';
  }

  Result<void> take(const Record& record) {
    const Result<std::string> applied = apply(record);
    if (!applied) {
      has_gap_ = true;
      refused_++;
      environment_.out << fmt::format("cannot be applied: the record at offset {}, {} ({})\n",
                                      record.offset, date_of(record), applied.error().to_string());
      return {};
    }
    (has_gap_ ? behind_ : before_)++;
    const storage::PreparedRecord prepared = storage::prepare_record(*applied);
    return log_->append({&prepared, 1});
  }

  Result<void> finish() {
    if (Result<void> synced = log_->sync(); !synced) return synced;
    is_finished_ = true;
    environment_.out << fmt::format(
        "{}: database {}, {} rows, {} records as they were, {} applied behind what is lost, {} not "
        "applied\n",
        path_, rows_->schema()->name(), rows_->row_count(), before_, behind_, refused_);
    if (behind_ > 0) {
      environment_.out
          << "What was written since rests on what is lost: rows that lost records had "
             "inserted have only the columns that were changed later, and sets and "
             "maps may differ from what they were. Look at them.\n";
    }
    return {};
  }

 private:
  /// The text that is to stand in the new file.
  Result<std::string> apply(const Record& record) {
    Result<DecodedRecord> decoded = decode_record(*rows_, record.body);
    if (!decoded) return decoded.error();
    // A file that lost nothing may have holes: tables that a backup leaves out.
    const auto references = has_gap_ ? Database::References::kWhole : Database::References::kHoles;
    if (Result<void> taken = rows_->take_over(decoded->changes, references); !taken)
      return taken.error();
    if (!has_gap_ || !PositionMarks::parse(decoded->comment).snapshot)
      return Result<std::string>(boost::system::in_place_value, without_newline(record.body));
    Result<Json> object = read_object(record);
    if (!object) return object.error();
    (*object)["_comment"] = without_marks(decoded->comment);
    return Result<std::string>(boost::system::in_place_value, to_exact_text(*object));
  }

  const Environment& environment_;
  const std::string path_;
  std::optional<Database> rows_;
  std::unique_ptr<LogFile> log_;
  bool has_gap_ = false;
  bool is_finished_ = false;
  std::uint64_t before_ = 0, behind_ = 0, refused_ = 0;  ///< records, the schema aside
};

}  // namespace

Result<int> salvage(const Environment& environment) {
  const std::vector<std::string>& arguments = environment.invocation.arguments;
  Salvage salvage(environment, arguments[1]);
  if (arguments.size() > 2) {
    const Result<SchemaRef> schema = schema_in_file(environment.files, arguments[2]);
    if (!schema) return schema.error();
    if (Result<void> begun = salvage.begin(schema_text(**schema)); !begun) return begun.error();
  }
  const auto take = [&](const Record& record) -> Result<void> {
    if (record.offset == 0)
      return salvage.has_begun() ? Result<void>() : salvage.begin(without_newline(record.body));
    if (!salvage.has_begun())
      return user_error(arguments[0] +
                        ": its schema is damaged: name a schema file after the new file");
    return salvage.take(record);
  };
  const Result<void> read = for_each_piece(environment.files, arguments[0], take,
                                           [&](const Gap& gap) { salvage.lose(gap); });
  if (!read) return read.error();
  if (!salvage.has_begun()) return user_error(arguments[0] + ": holds no whole record");
  if (const Result<void> finished = salvage.finish(); !finished) return finished.error();
  return kDone;
}

}  // namespace tandem::tool
