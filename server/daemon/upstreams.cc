#include "server/daemon/upstreams.h"

#include <fmt/core.h>

#include <optional>
#include <string_view>
#include <utility>

#include "server/control/command_registry.h"
#include "server/posix/directories.h"

namespace tandem {
namespace {

Result<std::map<std::string, std::set<std::string>>> parse_excluded(std::string_view list) {
  std::map<std::string, std::set<std::string>> tables;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    if (item.empty()) continue;
    const std::size_t colon = item.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon + 1 == item.size()) {
      return control::command_error(std::string(item) + ": invalid syntax");
    }
    tables[std::string(item.substr(0, colon))].emplace(item.substr(colon + 1));
  }
  return tables;
}

}  // namespace

Upstreams::Upstreams(const Options& options, std::string run_folder)
    : run_folder_(std::move(run_folder)),
      has_file_(options.config_file.has_value()),
      adopt_schemas_(options.sync.schema),
      forward_writes_(options.sync.forward_writes),
      most_message_bytes_(options.limits.message_bytes),
      active_server_(has_file_ ? "" : options.sync.from.value_or("")),
      excluded_tables_(options.sync.exclude_tables),
      node_name_(options.sync.node_name) {}

void Upstreams::resume(const HandoverState& before) {
  if (!has_file_) active_server_ = before.active_server;
  excluded_tables_ = before.exclude_tables;
  least_epoch_ = Epoch{before.least_epoch};
  node_name_ = before.node_name;
}

void Upstreams::save_to(HandoverState& state) const {
  state.active_server = active_server_;
  state.exclude_tables = excluded_tables_;
  state.least_epoch = static_cast<std::uint64_t>(least_epoch_);
  state.node_name = node_name_;
}

Result<void> Upstreams::set_active_server(const std::string& remotes) {
  const std::string before = std::exchange(active_server_, remotes);
  Result<void> good = check();
  if (!good) active_server_ = before;
  return good;
}

Result<void> Upstreams::check() const {
  const Result<BackupSource> source = source_of_all();
  return source ? Result<void>() : Result<void>(source.error());
}

Result<void> Upstreams::set_excluded_tables(const std::string& list) {
  const auto tables = parse_excluded(list);
  if (!tables) return tables.error();
  excluded_tables_ = list;
  return {};
}

BackupSet Upstreams::configure(const ConfigFile& config,
                               const std::map<std::string, std::string>& files) {
  BackupSet backups;
  const std::map<std::string, Upstream> before = std::exchange(configured_, {});
  active_server_.clear();
  for (const auto& [name, file] : files) {
    const auto found = config.databases.find(file);
    if (found == config.databases.end()) continue;  // added by a command meanwhile
    const ConfigFile::Database& settings = found->second;
    if (settings.model == ConfigFile::Model::kRelay) continue;
    if (settings.backup) backups.add(name);
    Upstream upstream;
    const auto former = before.find(name);
    const bool is_bad = !check_source(settings.source);
    upstream.source = !is_bad                  ? settings.source
                      : former != before.end() ? former->second.source
                                               : "";
    upstream.probe_ms = settings.source_options.inactivity_probe_ms.value_or(probe_ms_);
    upstream.excluded = settings.exclude_tables;
    if (active_server_.empty()) active_server_ = upstream.source;
    configured_[name] = std::move(upstream);
  }
  return backups;
}

Result<void> Upstreams::check_source(const std::string& source) {
  if (source.empty()) return {};
  const Result<Target> target = Target::parse(source);
  return target ? Result<void>() : Result<void>(target.error());
}

BackupSet Upstreams::followers() const {
  if (!has_file_) return BackupSet::all();
  BackupSet set;
  for (const auto& [name, upstream] : configured_) {
    if (!upstream.source.empty()) set.add(name);
  }
  return set;
}

/// The settings that all sources share.
BackupSource Upstreams::settings() const {
  BackupSource source;
  source.adopt_schemas = adopt_schemas_;
  source.forward_writes = forward_writes_;
  source.most_message_bytes = most_message_bytes_;
  source.node = node_name_;
  return source;
}

Result<BackupSource> Upstreams::source_of_all() const {
  BackupSource source = settings();
  for (std::string_view rest = active_server_; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    Result<Target> target = Target::parse(rest.substr(0, comma));
    if (!target) return target.error();
    source.targets.push_back(in_run_folder(std::move(target.value())));
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  auto excluded = parse_excluded(excluded_tables_);
  if (!excluded) return excluded.error();
  source.excluded = std::move(excluded.value());
  source.probe_ms = probe_ms_;
  source.least_epoch = least_epoch_;
  return source;
}

std::vector<BackupSource> Upstreams::sources(const BackupSet& backups) const {
  if (!has_file_) {
    BackupSource source = source_of_all().value();
    if (source.targets.empty()) return {};  // nobody to connect to
    return {std::move(source)};
  }
  std::map<std::pair<std::string, std::int64_t>, BackupSource> by_source;
  for (const auto& [name, upstream] : configured_) {
    if (!backups.contains(name)) continue;
    Result<Target> target = Target::parse(upstream.source);
    if (!target || target->is_passive()) continue;  // nobody to connect to
    const auto [found, is_new] =
        by_source.try_emplace({upstream.source, upstream.probe_ms}, settings());
    BackupSource& source = found->second;
    if (is_new) {
      source.targets = {in_run_folder(std::move(*target))};
      source.probe_ms = upstream.probe_ms;
      source.databases.emplace();
    }
    source.excluded[name] = upstream.excluded;
    source.databases->insert(name);
  }
  std::vector<BackupSource> sources;
  sources.reserve(by_source.size());
  for (auto& [key, source] : by_source) sources.push_back(std::move(source));
  return sources;
}

std::string Upstreams::source_of(const std::string& database) const {
  if (!has_file_) return active_server_;
  const auto found = configured_.find(database);
  return found == configured_.end() ? "" : found->second.source;
}

std::string Upstreams::excluded_of(const std::string& database) const {
  if (!has_file_) return excluded_tables_;
  std::string list;
  if (const auto found = configured_.find(database); found != configured_.end()) {
    for (const std::string& table : found->second.excluded)
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", database, table);
  }
  return list;
}

Target Upstreams::in_run_folder(Target target) const {
  if (!target.path.empty()) target.path = Directories::resolve(run_folder_, target.path);
  return target;
}

}  // namespace tandem
