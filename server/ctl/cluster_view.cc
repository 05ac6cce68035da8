#include "server/ctl/cluster_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "server/ctl/colours.h"
#include "server/ctl/table.h"

namespace tandem::ctl {

namespace {

struct Line {
  Cells cells;
  Level level = Level::kGood;
};

std::string seconds(std::int64_t ms) {
  return fmt::format("{:.1f} s", static_cast<double>(ms) / 1000);
}

/// How far a backup is behind; not known of one that does not hear from its active.
std::string behind_text(const Copy& copy) {
  if (copy.active) return "-";
  std::string text = "unknown";
  if (copy.lag_records) text = fmt::format("{} records", *copy.lag_records);
  if (copy.lag_ms.value_or(0) > 0) text += ", " + seconds(*copy.lag_ms);
  const bool is_silent = !copy.lag_records;
  if (is_silent && copy.heard_ms_ago)
    text += fmt::format(", heard {} ago", seconds(*copy.heard_ms_ago));
  return text;
}

std::string health_text(const Copy& copy) {
  if (copy.told) return "as its active says";
  if (copy.troubles.empty()) return "ok";
  if (copy.troubles.size() == 1) return copy.troubles.front();
  return fmt::format("{} (and {} more)", copy.troubles.front(), copy.troubles.size() - 1);
}

std::string_view role_of(const Copy& copy) {
  return copy.active ? "active" : copy.relay ? "relay" : "backup";
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

Line line_of(const Copy& copy, const std::map<std::string, Verdict>& verdicts) {
  Line line;
  line.cells = {
      or_dash(copy.target),
      or_dash(copy.node),
      copy.database,
      std::string(role_of(copy)),
      or_dash(copy.state),
      copy.relay || copy.digest.empty() ? "-" : fmt::format("{}:{}", copy.epoch, copy.index),
      behind_text(copy),
      health_text(copy)};
  const bool is_well = copy.active ? copy.writable : copy.in_sync;
  if (!is_well || !copy.troubles.empty()) line.level = Level::kDegraded;
  // One of several writers, or one that should be the writer.
  if (copy.active && verdicts.at(copy.database).level == Level::kBad) line.level = Level::kBad;
  return line;
}

std::vector<Line> lines_of(const Copies& all) {
  const auto verdicts = judge_databases(all);
  std::vector<Line> lines{
      {{"SERVER", "NODE", "DATABASE", "ROLE", "STATE", "POSITION", "BEHIND", "HEALTH"}}};
  for (const Copy& copy : all.copies) lines.push_back(line_of(copy, verdicts));
  for (const Copies::Silent& silent : all.silent) {
    lines.push_back(
        {{silent.target, "-", "-", "-", "no-answer", "-", "-", silent.problem}, Level::kBad});
  }
  return lines;
}

std::string table_of(const std::vector<Line>& lines, bool colours) {
  std::vector<Cells> rows;
  rows.reserve(lines.size());
  for (const Line& line : lines) rows.push_back(line.cells);
  return table_text(rows, [&](std::size_t number, const std::string& text) {
    const Level level = lines[number].level;
    return colours && level != Level::kGood ? painted(level, text) : text;
  });
}

OrderedJson copy_json(const Copy& copy) {
  OrderedJson object = {{"server", copy.target},     {"node", copy.node},
                        {"database", copy.database}, {"role", role_of(copy)},
                        {"state", copy.state},       {"writable", copy.writable},
                        {"in_sync", copy.in_sync},   {"epoch", copy.epoch},
                        {"index", copy.index},       {"digest", copy.digest}};
  if (!copy.source.empty()) object["source"] = copy.source;
  if (copy.lag_records) object["lag_records"] = *copy.lag_records;
  if (copy.lag_ms) object["lag_ms"] = *copy.lag_ms;
  if (copy.heard_ms_ago) object["heard_ms_ago"] = *copy.heard_ms_ago;
  object["told_by_active"] = copy.told;
  object["troubles"] = copy.troubles;
  return object;
}

}  // namespace

std::string cluster_text(const Copies& all, bool colours) {
  const Verdict verdict = judge(all);
  const std::string sentence =
      colours ? painted(verdict.level, verdict.sentence) : verdict.sentence;
  return sentence + '\n' + table_of(lines_of(all), colours);
}

OrderedJson cluster_json(const Copies& all) {
  const Verdict verdict = judge(all);
  OrderedJson databases = OrderedJson::array();
  for (const auto& [name, of_one] : judge_databases(all)) {
    databases.push_back(
        {{"name", name}, {"level", to_string(of_one.level)}, {"verdict", of_one.sentence}});
  }
  OrderedJson copies = OrderedJson::array();
  for (const Copy& copy : all.copies) copies.push_back(copy_json(copy));
  OrderedJson silent = OrderedJson::array();
  for (const Copies::Silent& server : all.silent)
    silent.push_back({{"server", server.target}, {"problem", server.problem}});
  return {{"level", to_string(verdict.level)},
          {"verdict", verdict.sentence},
          {"databases", std::move(databases)},
          {"copies", std::move(copies)},
          {"no_answer", std::move(silent)}};
}

}  // namespace tandem::ctl
