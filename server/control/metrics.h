#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "server/control/server_status.h"
#include "server/logging/time_histogram.h"
#include "server/posix/process_figures.h"

namespace tandem::control {

/// Whence the values of metrics come.
struct MetricSource {
  const ServerStatus& status;
  const ProcessFigures& process;
};

struct MetricLabel {
  std::string_view name;
  std::string_view value;  ///< may come from anybody
};
using MetricLabels = std::initializer_list<MetricLabel>;

/// Writes the samples of one metric behind its description; without samples there is none of both.
class MetricSamples {
 public:
  MetricSamples(std::string& page, std::string_view name, std::string_view head)
      : page_(page), name_(name), head_(head) {}

  /// A value that is nothing is left out.
  template <class Value>
  void add(MetricLabels labels, const Value& value) {
    if constexpr (std::is_same_v<Value, bool>) {
      write("", labels, value ? "1" : "0");
    } else if constexpr (std::is_arithmetic_v<Value>) {
      write("", labels, fmt::format("{}", value));
    } else if constexpr (std::is_same_v<Value, TimeHistogram::Totals>) {
      write_times(labels, value);
    } else {
      if (value) add(labels, *value);
    }
  }

 private:
  void write(std::string_view suffix, MetricLabels labels, std::string_view value,
             std::string_view bound = {});
  void write_times(MetricLabels labels, const TimeHistogram::Totals& times);

  std::string& page_;
  const std::string_view name_;
  std::string_view head_;  ///< empty once it is written
};

/// One metric: what the page says of it, and the manual.
struct Metric {
  enum class Type : std::uint8_t { kCounter, kGauge, kHistogram };

  std::string_view name;
  Type type;
  std::string_view labels;  ///< their names, with commas
  std::string_view help;
  std::function<void(const MetricSource&, MetricSamples&)> write;
};
std::string_view to_string(Metric::Type type);

/// Metrics that belong together, as they stand on the page and in docs/metrics.md.
struct MetricGroup {
  std::string_view title;
  std::vector<Metric> metrics;
};
MetricGroup server_metrics();
MetricGroup client_metrics();
MetricGroup role_metrics();
MetricGroup database_metrics();
MetricGroup file_metrics();
MetricGroup backup_metrics();
MetricGroup active_metrics();
/// All of them. There is no other list.
const std::vector<MetricGroup>& metric_groups();

/// A metric that the server has one of.
template <class Value>
auto of_server(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) { to.add({}, value(from)); };
}
/// One that each database has.
template <class Value>
auto of_databases(Value value) {
  return [value](const MetricSource& from, MetricSamples& to) {
    for (const DatabaseStatus& database : from.status.databases)
      to.add({{"database", database.name}}, value(database));
  };
}

/// Prometheus' text exposition format, version 0.0.4.
std::string to_metrics(const ServerStatus& status, const ProcessFigures& process = {});

}  // namespace tandem::control
