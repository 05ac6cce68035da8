// The metrics of databases and of their files.

#include "server/control/metrics.h"

namespace tandem::control {

namespace {

using Type = Metric::Type;

/// Does the role take writes? One that changes does not.
bool may_write(RoleState role) {
  switch (role) {
    case RoleState::kActive:
    case RoleState::kBackup:  // of other databases
      return true;
    case RoleState::kPromoting:
    case RoleState::kExpired:
    case RoleState::kDraining:
      return false;
  }
  return false;
}

void add_writable(const MetricSource& from, MetricSamples& to) {
  for (const DatabaseStatus& database : from.status.databases)
    to.add({{"database", database.name}},
           may_write(from.status.role) && from.status.writable(database));
}

/// Reads a figure that is counted as things happen to a database.
template <class Value>
auto of_figures(Value value) {
  return of_databases([value](const DatabaseStatus& database) {
    const DatabaseFiguresRef& figures = database.entry.figures;
    return figures == nullptr ? std::nullopt : std::optional(value(*figures));
  });
}

auto of_count(std::atomic<std::uint64_t> DatabaseFigures::*count) {
  return of_figures([count](const DatabaseFigures& figures) -> std::uint64_t {
    return (figures.*count).load(std::memory_order_relaxed);
  });
}

auto of_times(TimeHistogram DatabaseFigures::*times) {
  return of_figures([times](const DatabaseFigures& figures) { return (figures.*times).totals(); });
}

auto of_file_times(TimeHistogram::Totals DatabaseStatus::FileTimes::*times) {
  return of_databases([times](const DatabaseStatus& database) {
    return database.file_times ? std::optional((*database.file_times).*times) : std::nullopt;
  });
}

}  // namespace

MetricGroup role_metrics() {
  return {
      "Roles",
      {
          {"tandem_active", Type::kGauge, "database",
           "1 if the server is active for the database, 0 if it is a backup or a relay.",
           of_databases([](const DatabaseStatus& database) { return !database.is_copy(); })},
          {"tandem_writable", Type::kGauge, "database",
           "1 if it accepts writes: active, its lease lasts, and the file can be written.",
           add_writable},
          {"tandem_promotions_total", Type::kCounter, "database",
           "Times that it has gone from backup to active.", of_count(&DatabaseFigures::promotions)},
          {"tandem_epoch", Type::kGauge, "database",
           "Promotions in the history of the database, wherever they were.",
           of_databases([](const DatabaseStatus& database) {
             return static_cast<std::uint64_t>(database.entry.position.epoch);
           })},
          {"tandem_index", Type::kGauge, "database",
           "Records in the history of the database. It may fall where a history is replaced.",
           of_databases(
               [](const DatabaseStatus& database) { return database.entry.position.index; })},
      }};
}

MetricGroup database_metrics() {
  return {
      "Transactions",
      {
          {"tandem_transactions_total", Type::kCounter, "database",
           "Transactions of clients that were answered, those that only read among them.",
           of_count(&DatabaseFigures::transactions)},
          {"tandem_transaction_errors_total", Type::kCounter, "database",
           "Those of them that were answered with an error.", of_count(&DatabaseFigures::failed)},
          {"tandem_commits_total", Type::kCounter, "database",
           "Commits, those taken over from an active among them.",
           of_databases([](const DatabaseStatus& database) { return database.entry.commits; })},
          {"tandem_commit_duration_seconds", Type::kHistogram, "database",
           "From the request of a client that writes until its reply may go, those in a wait "
           "operation "
           "aside.",
           of_times(&DatabaseFigures::commits)},
          {"tandem_blocked_transactions", Type::kGauge, "database",
           "Transactions in a wait operation.",
           of_databases([](const DatabaseStatus& database) { return database.entry.blocked; })},
          {"tandem_history_commits", Type::kGauge, "database",
           "Commits that are kept, so that backups and clients resume from them.",
           of_databases(
               [](const DatabaseStatus& database) { return database.entry.history_commits; })},
          {"tandem_history_bytes", Type::kGauge, "database", "Memory that those commits take.",
           of_databases(
               [](const DatabaseStatus& database) { return database.entry.history_bytes; })},
      }};
}

MetricGroup file_metrics() {
  using File = DatabaseStatus::FileTimes;
  return {
      "Files",
      {
          {"tandem_file_bytes", Type::kGauge, "database", "Size of the file.",
           of_databases([](const DatabaseStatus& database) { return database.file_bytes; })},
          {"tandem_write_failing", Type::kGauge, "database",
           "1 if nothing can be written to the file.",
           of_databases(
               [](const DatabaseStatus& database) { return !database.health.can_write(); })},
          {"tandem_file_damaged", Type::kGauge, "database",
           "1 if records of the file could not be read, with whole ones behind them.",
           of_databases(
               [](const DatabaseStatus& database) { return database.health.damage.has_value(); })},
          {"tandem_write_waiting_seconds", Type::kGauge, "database",
           "For how long a write or flush of the file has not returned.",
           of_databases([](const DatabaseStatus& database) {
             return static_cast<double>(database.health.waiting.count()) / 1000;
           })},
          {"tandem_write_duration_seconds", Type::kHistogram, "database",
           "How long writes of the file took. One serves all commits that came together.",
           of_file_times(&File::writes)},
          {"tandem_fsync_duration_seconds", Type::kHistogram, "database",
           "How long flushes to the disk took. One serves all durable replies that wait.",
           of_file_times(&File::flushes)},
          {"tandem_divergence_files", Type::kGauge, "database",
           "Files beside it with records that only this server had, until somebody removes them.",
           of_databases([](const DatabaseStatus& database) { return database.divergence_files; })},
          {"tandem_compactions_total", Type::kCounter, "database",
           "Times that the file was compacted.", of_count(&DatabaseFigures::compactions)},
          {"tandem_compaction_failures_total", Type::kCounter, "database",
           "Times that it could not be.", of_count(&DatabaseFigures::failed_compactions)},
      }};
}

}  // namespace tandem::control
