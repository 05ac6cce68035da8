// The metrics that belong to no database.

#include "server/control/metrics.h"
#include "server/logging/event_count.h"

namespace tandem::control {

namespace {

using Type = Metric::Type;

/// One that each file of keys or certificates has.
template <class Value>
auto of_key_files(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const net::KeyFile& file : from.status.key_files)
      to.add({{"kind", file.option()}}, value(file));
  };
}

/// Of the log file, if there is one.
template <class Value>
auto of_log_file(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    const log::FileHealth& file = from.status.log_file;
    if (!file.path.empty()) to.add({}, value(file));
  };
}

/// One that each remote has, but those of an active server where this one is none.
template <class Value>
auto of_remotes(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const net::RemoteStatus& remote : from.status.remotes) {
      if (remote.state != "closed") to.add({{"remote", remote.target}}, value(remote));
    }
  };
}

std::optional<std::int64_t> unix_time(const std::optional<net::KeyFile::Time>& time) {
  if (!time) return std::nullopt;
  return std::chrono::system_clock::to_time_t(*time);
}

std::optional<double> lease_left(const MetricSource& from) {
  const auto deadline = from.status.lease.deadline_ms();
  if (!deadline) return std::nullopt;
  return static_cast<double>(*deadline - from.status.now_ms) / 1000;
}

void add_limits(const MetricSource& from, MetricSamples& to) {
  for (const ServerStatus::LimitStatus& limit : from.status.limits)
    to.add({{"limit", limit.name}}, limit.times);
}

void add_events(const MetricSource&, MetricSamples& to) {
  for (const auto& [name, total] : event_totals()) to.add({{"event", name}}, total);
}

}  // namespace

MetricGroup server_metrics() {
  return {
      "The server",
      {
          {"tandem_build_info", Type::kGauge, "version", "1; the version is the label.",
           [](const MetricSource&, MetricSamples& to) {
             to.add({{"version", TANDEM_VERSION}}, true);
           }},
          {"process_start_time_seconds", Type::kGauge, "", "When the process began, since 1970.",
           of_server([](const auto& from) { return from.process.start_time_seconds; })},
          {"process_cpu_seconds_total", Type::kCounter, "", "Time on processors, of all threads.",
           of_server([](const auto& from) { return from.process.cpu_seconds; })},
          {"process_resident_memory_bytes", Type::kGauge, "", "Memory in use.",
           of_server([](const auto& from) { return from.process.resident_bytes; })},
          {"process_virtual_memory_bytes", Type::kGauge, "", "Address space in use.",
           of_server([](const auto& from) { return from.process.virtual_bytes; })},
          {"process_open_fds", Type::kGauge, "", "Descriptors that are open.",
           of_server([](const auto& from) { return from.process.open_descriptors; })},
          {"process_max_fds", Type::kGauge, "", "Descriptors that may be open.",
           of_server([](const auto& from) { return from.process.most_descriptors; })},
          {"tandem_lease_left_seconds", Type::kGauge, "",
           "Time until the role lease runs out; below zero since it has. Missing without lease.",
           of_server(lease_left)},
          {"tandem_log_file_failing", Type::kGauge, "",
           "1 if lines do not get into the log file. Missing without one.",
           of_log_file([](const log::FileHealth& file) { return !file.can_write(); })},
          {"tandem_log_file_waiting_seconds", Type::kGauge, "",
           "For how long a line for the log file has not been written.",
           of_log_file([](const log::FileHealth& file) {
             return static_cast<double>(file.waiting.count()) / 1000;
           })},
          {"tandem_key_file_failing", Type::kGauge, "kind",
           "1 if a file of keys or certificates is not usable.",
           of_key_files([](const net::KeyFile& file) { return !file.problem.empty(); })},
          {"tandem_certificate_expiry_timestamp_seconds", Type::kGauge, "kind",
           "When the certificates of a file run out, since 1970.",
           of_key_files([](const net::KeyFile& file) { return unix_time(file.expiry); })},
          {"tandem_certificate_start_timestamp_seconds", Type::kGauge, "kind",
           "From when on the certificates of a file are valid, since 1970.",
           of_key_files([](const net::KeyFile& file) { return unix_time(file.start); })},
          {"tandem_events_total", Type::kCounter, "event",
           "What coverage/show counts, under the names that it has there.", add_events},
      }};
}

MetricGroup client_metrics() {
  return {"Remotes and clients",
          {
              {"tandem_remote_up", Type::kGauge, "remote",
               "1 if the server listens at the remote, or is connected to it.",
               of_remotes([](const net::RemoteStatus& remote) { return remote.is_up; })},
              {"tandem_remote_connections", Type::kGauge, "remote", "Connections of the remote.",
               of_remotes([](const net::RemoteStatus& remote) { return remote.connections; })},
              {"tandem_clients", Type::kGauge, "",
               "Connections of all remotes, those of backups among them.",
               of_server([](const auto& from) { return from.status.clients(); })},
              {"tandem_monitors", Type::kGauge, "", "Monitors of all clients.",
               of_server([](const auto& from) { return from.status.monitors; })},
              {"tandem_limit_reached_total", Type::kCounter, "limit",
               "How often clients have met a limit, by the option that sets it.", add_limits},
          }};
}

}  // namespace tandem::control
