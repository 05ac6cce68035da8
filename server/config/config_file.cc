#include "server/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

#include "protocol/json/value.h"
#include "server/config/config_object.h"
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
net::RemoteOptions parse_options(const Json& value, bool of_source) {
  net::RemoteOptions options;
  if (value.is_null()) return options;
  ConfigObject reader(value, "JSON-RPC options");
  if (const auto* ms = reader.optional<std::int64_t>("max-backoff")) options.max_backoff_ms = *ms;
  if (const auto* ms = reader.optional<std::int64_t>("inactivity-probe"))
    options.inactivity_probe_ms = *ms;
  if (const auto* dscp = reader.optional<std::int64_t>("dscp"))
    options.dscp = static_cast<int>(*dscp);
  if (!of_source) {
    if (const auto* read_only = reader.optional<bool>("read-only")) options.read_only = *read_only;
    if (const auto* role = reader.optional<std::string>("role")) options.role = *role;
  }
  if (const Result<void> read = reader.finish(); !read) {
    config_log.warn("{}", read.error().to_string());
    return {};
  }
  return options;
}

void parse_source(ConfigObject& reader, const Json::object_t& source,
                  ConfigFile::Database& database) {
  if (source.size() != 1) {
    reader.fail("'source' should be an object with exactly one remote");
    return;
  }
  database.source = source.begin()->first;
  database.source_options = parse_options(source.begin()->second, true);
}

Result<ConfigFile::Database> parse_database(const std::string& name, const Json& value) {
  using Model = ConfigFile::Model;
  ConfigFile::Database database;
  if (value.is_null()) return database;
  ConfigObject reader(value, "database " + name);
  if (const auto* model = reader.optional<std::string>("service-model")) {
    if (const auto known = parse_model(*model)) {
      database.model = *known;
    } else {
      config_log.warn("Unrecognized database service model: '{}'", *model);
      reader.fail("'" + *model + "' is not a valid service model");
    }
  }
  const Json::object_t* source = nullptr;
  if (database.model == Model::kActiveBackup) {
    if (const auto* backup = reader.optional<bool>("backup")) database.backup = *backup;
    source = database.backup ? reader.required<Json::object_t>("source")
                             : reader.optional<Json::object_t>("source");
    if (const auto* tables = reader.optional<Json::array_t>("exclude-tables")) {
      for (const Json& table : *tables) {
        if (const auto* text = table.get_ptr<const std::string*>()) {
          database.exclude_tables.insert(*text);
        } else {
          reader.fail("'exclude-tables' should be an array of strings");
        }
      }
    }
  } else if (database.model == Model::kRelay) {
    source = reader.required<Json::object_t>("source");
  }
  if (source != nullptr) parse_source(reader, *source, database);
  if (const Result<void> read = reader.finish(); !read) return read.error();
  return database;
}

}  // namespace

Result<ConfigFile> ConfigFile::parse(std::string_view text) {
  const Result<Json> value = read_json(text);
  if (!value) {
    config_log.warn("config: reading JSON failed ({})", value.error().details);
    return failure("the configuration file is no JSON");
  }
  ConfigObject reader(*value, "config");
  const auto* remotes = reader.optional<Json::object_t>("remotes");
  const auto* databases = reader.optional<Json::object_t>("databases");
  const auto* role = reader.optional<std::string>("advertise-role");
  const std::optional<AdvertisedRole> advertised =
      role == nullptr ? std::nullopt : parse_advertised_role(*role);
  if (role != nullptr && !advertised) reader.fail(no_advertised_role(*role));
  if (const Result<void> read = reader.finish(); !read) {
    config_log.warn("config: {}", read.error().to_string());
    return failure("the configuration file is not valid");
  }
  ConfigFile config;
  config.advertised_role = advertised;
  if (remotes != nullptr) {
    for (const auto& [target, options] : *remotes)
      config.remotes[target] = parse_options(options, false);
  }
  if (databases != nullptr) {
    for (const auto& [name, options] : *databases) {
      Result<Database> database = parse_database(name, options);
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
