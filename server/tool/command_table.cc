#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <ostream>

#include "server/tool/command.h"
#include "server/tool/database_file.h"

namespace tandem::tool {
namespace {

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

Result<int> help(const Environment& environment) {
  environment.out << usage(environment.invocation.directories);
  return kDone;
}

Result<int> list_commands(const Environment& environment) {
  environment.out << "The available commands are:\n";
  for (const Command& command : command_table()) {
    environment.out << fmt::format("  {:<23} {}\n", command.name, command.arguments);
  }
  return kDone;
}

/// db-name and its like, schema-name and its like.
template <const std::string& (DatabaseSchema::*Member)() const>
Result<int> of_database(const Environment& environment) {
  const auto schema = schema_in_database(environment.files, environment.invocation.database(0));
  if (!schema) return schema.error();
  environment.out << ((**schema).*Member)() << '\n';
  return kDone;
}

template <const std::string& (DatabaseSchema::*Member)() const>
Result<int> of_schema(const Environment& environment) {
  const auto schema = schema_in_file(environment.files, environment.invocation.schema(0));
  if (!schema) return schema.error();
  environment.out << ((**schema).*Member)() << '\n';
  return kDone;
}

template <FileKind Kind>
Result<int> is_of_kind(const Environment& environment) {
  const auto kind = file_kind(environment.files, environment.invocation.arguments[0]);
  if (!kind) return kind.error();
  return *kind == Kind ? kDone : kNo;
}

Result<int> needs_conversion(const Environment& environment) {
  const auto has = schema_in_database(environment.files, environment.invocation.database(0));
  if (!has) return has.error();
  const auto wanted = schema_in_file(environment.files, environment.invocation.schema(1));
  if (!wanted) return wanted.error();
  const bool same = schema_text(**has) == schema_text(**wanted);
  environment.out << (same ? "no\n" : "yes\n");
  return kDone;
}

/// create-cluster and its like: nothing here writes or repairs clustered files.
Result<int> not_supported(const Environment& environment) {
  return user_error(environment.invocation.command +
                    ": not supported: clustered databases need Open vSwitch's own ovsdb-tool");
}

/// db-cid and its like: the same, but the file may be at fault.
Result<int> of_clustered(const Environment& environment) {
  const std::string& name = environment.invocation.arguments[0];
  const auto kind = file_kind(environment.files, name);
  if (!kind) return kind.error();
  if (*kind == FileKind::kStandalone) return user_error(name + ": not a clustered database");
  return not_supported(environment);
}

constexpr std::array kCommands = {
    Command{"create", "[db [schema]]", 0, 2, create},
    Command{"create-cluster", "db contents local", 3, 3, not_supported},
    Command{"join-cluster", "db name local remote...", 4, kAnyNumber, not_supported},
    Command{"compact", "[db [dst]]", 0, 2, compact},
    Command{"convert", "[db [schema [dst]]]", 0, 3, convert},
    Command{"needs-conversion", "[db [schema]]", 0, 2, needs_conversion},
    Command{"db-name", "[db]", 0, 1, of_database<&DatabaseSchema::name>},
    Command{"db-version", "[db]", 0, 1, of_database<&DatabaseSchema::version>},
    Command{"db-cksum", "[db]", 0, 1, of_database<&DatabaseSchema::cksum>},
    Command{"db-cid", "db", 1, 1, of_clustered},
    Command{"db-sid", "db", 1, 1, of_clustered},
    Command{"db-local-address", "db", 1, 1, of_clustered},
    Command{"db-is-clustered", "db", 1, 1, is_of_kind<FileKind::kClustered>},
    Command{"db-is-standalone", "db", 1, 1, is_of_kind<FileKind::kStandalone>},
    Command{"schema-name", "[schema]", 0, 1, of_schema<&DatabaseSchema::name>},
    Command{"schema-version", "[schema]", 0, 1, of_schema<&DatabaseSchema::version>},
    Command{"schema-cksum", "[schema]", 0, 1, of_schema<&DatabaseSchema::cksum>},
    Command{"query", "[db] trns", 1, 2, query},
    Command{"transact", "[db] trns", 1, 2, transact},
    Command{"show-log", "[db]", 0, 1, show_log},
    Command{"check", "[db]", 0, 1, check},
    Command{"salvage", "db new [schema]", 2, 3, salvage},
    Command{"check-cluster", "db...", 1, kAnyNumber, not_supported},
    Command{"position", "[db]", 0, 1, position},
    Command{"divergences", "[dir|file]...", 0, kAnyNumber, divergences},
    Command{"compare-versions", "a op b", 3, 3, compare_versions},
    Command{"help", "", 0, kAnyNumber, help},
    Command{"list-commands", "", 0, kAnyNumber, list_commands},
    Command{"cluster-to-standalone", "db clusterdb", 2, 2, not_supported},
};

}  // namespace

std::span<const Command> command_table() { return kCommands; }

Error user_error(std::string text) { return Error{std::move(text), "", std::nullopt}; }

Result<int> run_command(const Environment& environment) {
  const std::string& name = environment.invocation.command;
  if (name.empty()) return user_error("missing command name; use --help for help");
  const auto* const command = std::find_if(kCommands.begin(), kCommands.end(),
                                           [&](const Command& c) { return c.name == name; });
  if (command == kCommands.end()) {
    return user_error(fmt::format("unknown command '{}'; use --help for help", name));
  }
  const std::size_t given = environment.invocation.arguments.size();
  if (given < command->least) {
    return user_error(
        fmt::format("'{}' command requires at least {} arguments", name, command->least));
  }
  if (given > command->most) {
    return user_error(fmt::format("'{}' command takes at most {} arguments", name, command->most));
  }
  return command->run(environment);
}

}  // namespace tandem::tool
