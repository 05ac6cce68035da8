#include "server/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "protocol/json_parser.h"
#include "protocol/object_reader.h"
#include "server/logging/log.h"

namespace tandem {
namespace {

log::Module config_log("ovsdb_server");

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

std::optional<ConfigFile::Model> parse_model(std::string_view name) {
  using Model = ConfigFile::Model;
  if (name == "standalone") return Model::kStandalone;
  if (name == "clustered") return Model::kClustered;
  if (name == "active-backup") return Model::kActiveBackup;
  if (name == "relay") return Model::kRelay;
  return std::nullopt;
}

/// Options of a connection; those of a source have neither role nor read-only. Options that are
/// wrong are told of and left out, all of them.
net::RemoteOptions parse_options(const json::value& value, bool of_source) {
  net::RemoteOptions options;
  if (value.is_null()) return options;
  ObjectReader reader(value, "JSON-RPC options");
  const auto integer = [&](const char* name) -> std::optional<std::int64_t> {
    const json::value* member = reader.optional(name, kJsonInteger);
    std::int64_t number = 0;
    if (member == nullptr || !as_integer(*member, number)) return std::nullopt;
    return number;
  };
  if (const auto ms = integer("max-backoff")) options.max_backoff_ms = *ms;
  options.inactivity_probe_ms = integer("inactivity-probe");
  if (const auto dscp = integer("dscp")) options.dscp = static_cast<int>(*dscp);
  if (!of_source) {
    if (const json::value* member = reader.optional("read-only", kJsonBoolean))
      options.read_only = member->get_bool();
    if (const json::value* member = reader.optional("role", kJsonString))
      options.role = std::string(member->get_string());
  }
  if (const Result<void> read = reader.finish(); !read) {
    config_log.warn("{}", read.error().to_string());
    return {};
  }
  return options;
}

void parse_source(ObjectReader& reader, const json::value& source, ConfigFile::Database& database) {
  const json::object& object = source.get_object();
  if (object.size() != 1) {
    reader.fail("'source' should be an object with exactly one remote");
    return;
  }
  database.source = std::string(object.begin()->key());
  database.source_options = parse_options(object.begin()->value(), true);
}

Result<ConfigFile::Database> parse_database(const std::string& name, const json::value& value) {
  using Model = ConfigFile::Model;
  ConfigFile::Database database;
  if (value.is_null()) return database;
  ObjectReader reader(value, "database " + name);
  if (const json::value* model = reader.optional("service-model", kJsonString)) {
    const std::string text(model->get_string());
    if (const auto known = parse_model(text)) {
      database.model = *known;
    } else {
      config_log.warn("Unrecognized database service model: '{}'", text);
      reader.fail("'" + text + "' is not a valid service model");
    }
  }
  const json::value* source = nullptr;
  if (database.model == Model::kActiveBackup) {
    if (const json::value* backup = reader.optional("backup", kJsonBoolean))
      database.backup = backup->get_bool();
    source = database.backup ? reader.required("source", kJsonObject)
                             : reader.optional("source", kJsonObject);
    if (const json::value* tables = reader.optional("exclude-tables", kJsonArray)) {
      for (const json::value& table : tables->get_array()) {
        if (table.is_string()) {
          database.exclude_tables.emplace(table.get_string());
        } else {
          reader.fail("'exclude-tables' should be an array of strings");
        }
      }
    }
  } else if (database.model == Model::kRelay) {
    source = reader.required("source", kJsonObject);
  }
  if (source != nullptr) parse_source(reader, *source, database);
  if (const Result<void> read = reader.finish(); !read) return read.error();
  return database;
}

}  // namespace

Result<ConfigFile> ConfigFile::parse(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value) {
    config_log.warn("config: reading JSON failed ({})", value.error().details);
    return failure("the configuration file is no JSON");
  }
  ObjectReader reader(*value, "config");
  const json::value* remotes = reader.optional("remotes", kJsonObject);
  const json::value* databases = reader.optional("databases", kJsonObject);
  if (const Result<void> read = reader.finish(); !read) {
    config_log.warn("config: {}", read.error().to_string());
    return failure("the configuration file is not valid");
  }
  ConfigFile config;
  if (remotes != nullptr) {
    for (const auto& member : remotes->get_object())
      config.remotes[std::string(member.key())] = parse_options(member.value(), false);
  }
  if (databases != nullptr) {
    for (const auto& member : databases->get_object()) {
      const std::string name(member.key());
      Result<Database> database = parse_database(name, member.value());
      if (!database) {
        config_log.warn("{}", database.error().to_string());
        config_log.warn("config: failed to parse 'databases'");
        return failure("the configuration file is not valid");
      }
      config.databases[name] = std::move(*database);
    }
  }
  return config;
}

Result<ConfigFile> ConfigFile::load(const std::string& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    config_log.warn("failed to load configuration from {}: {}", path, std::strerror(errno));
    return failure(path + ": cannot be read");
  }
  Result<ConfigFile> config = parse(text);
  if (!config) config_log.warn("failed to load configuration from {}", path);
  return config;
}

}  // namespace tandem
