#include "server/control/metrics.h"

#include "server/logging/printable.h"

namespace tandem::control {

namespace {

/// The value of a label: it may come from anybody.
std::string escaped(std::string_view value) {
  std::string result;
  for (const char c : printable(value)) {
    if (c == '\\' || c == '"') result += '\\';
    result += c;
  }
  return result;
}

double seconds_of_us(std::int64_t us) { return static_cast<double>(us) / 1e6; }

}  // namespace

std::string_view to_string(Metric::Type type) {
  switch (type) {
    case Metric::Type::kCounter:
      return "counter";
    case Metric::Type::kGauge:
      return "gauge";
    case Metric::Type::kHistogram:
      return "histogram";
  }
  return "";
}

void MetricSamples::write(std::string_view suffix, MetricLabels labels, std::string_view value,
                          std::string_view bound) {
  page_ += std::exchange(head_, {});
  page_.append(name_).append(suffix);
  char before = '{';
  const auto add_label = [&](std::string_view name, std::string_view text) {
    page_ += std::exchange(before, ',');
    page_.append(name).append("=\"").append(text) += '"';
  };
  for (const MetricLabel& label : labels) add_label(label.name, escaped(label.value));
  if (!bound.empty()) add_label("le", bound);
  if (before == ',') page_ += '}';
  (page_ += ' ').append(value) += '\n';
}

void MetricSamples::write_times(MetricLabels labels, const TimeHistogram::Totals& times) {
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < times.steps.size(); ++i) {
    events += times.steps[i];
    const bool is_last = i == TimeHistogram::kBoundsUs.size();
    write("_bucket", labels, fmt::format("{}", events),
          is_last ? "+Inf" : fmt::format("{}", seconds_of_us(TimeHistogram::kBoundsUs[i])));
  }
  write("_sum", labels, fmt::format("{}", seconds_of_us(static_cast<std::int64_t>(times.sum_us))));
  write("_count", labels, fmt::format("{}", events));
}

const std::vector<MetricGroup>& metric_groups() {
  static const std::vector<MetricGroup> groups{
      server_metrics(), client_metrics(), role_metrics(),  database_metrics(),
      file_metrics(),   backup_metrics(), active_metrics()};
  return groups;
}

std::string to_metrics(const ServerStatus& status, const ProcessFigures& process) {
  std::string page;
  const MetricSource source{status, process};
  for (const MetricGroup& group : metric_groups()) {
    for (const Metric& metric : group.metrics) {
      const std::string head = fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name,
                                           metric.help, to_string(metric.type));
      MetricSamples samples(page, metric.name, head);
      metric.write(source, samples);
    }
  }
  return page;
}

}  // namespace tandem::control
