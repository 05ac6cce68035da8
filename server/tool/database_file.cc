#include "server/tool/database_file.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "protocol/json/json_reader.h"
#include "server/storage/log_reader.h"
#include "server/storage/staged_file.h"
#include "server/tool/command.h"

namespace tandem::tool {
namespace {

using storage::File;
using storage::IoResult;

Result<std::unique_ptr<File>> open_file(storage::FileSystem& files, const std::string& path) {
  IoResult<std::unique_ptr<File>> file = storage::open_to_read(files, path);
  if (!file) return storage::io_error(path, "open failed", file.error());
  return std::move(*file);
}

IoResult<std::string> read_all(const File& file) {
  const IoResult<std::uint64_t> size = file.size();
  if (!size) return size.error();
  std::string text(static_cast<std::size_t>(*size), '\0');
  const IoResult<std::size_t> got = file.read_at(0, text);
  if (!got) return got.error();
  text.resize(*got);
  return text;
}

Error unreadable_schema(const std::string& path, std::string_view why) {
  return user_error(
      fmt::format(R"(failed to read schema: "{}" could not be read as JSON ({}))", path, why));
}

}  // namespace

Result<FileKind> file_kind(storage::FileSystem& files, const std::string& path) {
  const auto file = open_file(files, path);
  if (!file) return file.error();
  std::string start(storage::kMaxHeader, '\0');
  const IoResult<std::size_t> got = (*file)->read_at(0, start);
  if (!got) return storage::io_error(path, "read failed", got.error());
  start.resize(*got);
  const auto header = storage::parse_header(std::string_view(start).substr(0, start.find('\n')));
  if (header && header->magic == storage::kClusterMagic) return FileKind::kClustered;
  if (const Result<void> good = storage::check_file_type(**file, path); !good) return good.error();
  return FileKind::kStandalone;
}

Result<void> for_each_record(storage::FileSystem& files, const std::string& path,
                             const std::function<Result<void>(const storage::Record&)>& visit) {
  const auto file = open_file(files, path);
  if (!file) return file.error();
  if (const Result<void> good = storage::check_file_type(**file, path); !good) return good;
  storage::LogReader reader(**file, path);
  while (true) {
    const auto record = reader.next();
    if (!record) return record.error();
    if (!*record) return {};
    if (const Result<void> visited = visit(**record); !visited) return visited;
  }
}

Result<Json> read_object(const storage::Record& record) {
  const auto object = record.object();
  if (!object) return object.error();
  return Result<Json>(boost::system::in_place_value, to_value(*object));
}

Result<SchemaRef> schema_in_database(storage::FileSystem& files, const std::string& path) {
  const auto file = open_file(files, path);
  if (!file) return file.error();
  if (const Result<void> good = storage::check_file_type(**file, path); !good) return good.error();
  storage::LogReader reader(**file, path);
  const auto record = reader.next();
  if (!record) return record.error();
  if (!*record) return Error{"ovsdb error", path + ": database file contains no schema", {}};
  const auto value = (*record)->object();
  if (!value) return value.error();
  return DatabaseSchema::from_json(*value);
}

Result<SchemaRef> schema_in_file(storage::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, storage::FileSystem::Access::kReadOnly);
  if (!file) {
    return unreadable_schema(path,
                             fmt::format("error opening \"{}\": {}", path, file.error().message()));
  }
  const IoResult<std::string> text = read_all(**file);
  if (!text) return unreadable_schema(path, "error reading JSON stream: " + text.error().message());
  const auto value = parse_json(*text);
  if (!value) return unreadable_schema(path, value.error().details);
  Result<SchemaRef> schema = DatabaseSchema::from_json(*value);
  if (!schema) {
    Error error = schema.error();
    error.details = fmt::format("failed to parse \"{}\" as ovsdb schema: {}", path, error.details);
    return error;
  }
  return schema;
}

std::string schema_text(const DatabaseSchema& schema) { return to_text(schema); }

Result<std::unique_ptr<StoredDatabase>> open_database(storage::FileSystem& files,
                                                      const std::string& path,
                                                      storage::LogFile::Access access,
                                                      const Clock& clock) {
  StoredDatabase::Options options;
  options.access = access;
  auto database = StoredDatabase::open(files, path, options, clock);
  if (!database) return database.error();
  if (const auto& error = (*database)->log()->tail_error()) return *error;
  return database;
}

}  // namespace tandem::tool
