#include "ocf/agent/decision/connection_row.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <sstream>

namespace tandem::agent {

namespace {

constexpr std::int64_t kCtlMs = 5'000;
constexpr const char* kOwner = "owner=ovndb-servers";

struct Row {
  std::string uuid, target, probe, owner;
};

/// Of the lines UUID,TARGET,PROBE,EXTERNAL_IDS.
std::vector<Row> parse_rows(std::string text) {
  std::erase(text, '"');
  std::vector<Row> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Row row;
    std::getline(fields, row.uuid, ',');
    std::getline(fields, row.target, ',');
    std::getline(fields, row.probe, ',');
    std::getline(fields, row.owner);
    if (!row.uuid.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

/// The row that is to have the target; nothing: a new one.
std::optional<Row> row_for(const std::vector<Row>& rows, const std::string& target) {
  for (const Row& row : rows) {
    if (row.target == target) return row;
  }
  for (const Row& row : rows) {
    if (row.owner.find(kOwner) != std::string::npos) return row;
  }
  if (rows.size() == 1) return rows.front();
  return std::nullopt;
}

RunCtl words(Which which, std::vector<std::string> arguments) {
  return RunCtl{which, std::move(arguments)};
}

RunCtl list_rows(Which which) {
  return words(which,
               {"--no-headings", "--format=csv",
                "--columns=_uuid,target,inactivity_probe,external_ids", "list", "Connection"});
}

RunCtl write_row(Which which, const std::optional<Row>& row, const std::string& target,
                 const std::string& probe) {
  const std::vector<std::string> columns = {fmt::format("target=\"{}\"", target),
                                            "inactivity_probe=" + probe,
                                            fmt::format("external_ids:{}", kOwner)};
  std::vector<std::string> arguments;
  if (row) {
    arguments = {"set", "Connection", row->uuid};
  } else {
    arguments = {"--", "--id=@c", "create", "Connection"};
  }
  arguments.insert(arguments.end(), columns.begin(), columns.end());
  if (!row) {
    for (const std::string& word :
         {std::string("--"), std::string("add"), global_table_of(which), std::string("."),
          std::string("connections"), std::string("@c")})
      arguments.push_back(word);
  }
  return words(which, std::move(arguments));
}

}  // namespace

Task<bool> set_connection_row(Desk& desk, Which which) {
  const std::string target = desk.settings().connection_target(which);
  const std::string probe = fmt::format("{}", desk.settings().probe_interval_ms);
  const Answer listed = co_await desk.ask(list_rows(which), kCtlMs);
  if (!listed.done()) {
    desk.warn(
        fmt::format("could not read the {} Connection rows: {}", name_of(which), listed.text));
    co_return false;
  }
  const std::optional<Row> row = row_for(parse_rows(listed.text), target);
  if (row && row->target == target && row->probe == probe) co_return true;
  desk.info(fmt::format("writing the {} Connection row: {}, inactivity_probe {}", name_of(which),
                        target, probe));
  const Answer written = co_await desk.ask(write_row(which, row, target, probe), kCtlMs);
  if (!written.done()) {
    desk.warn(
        fmt::format("could not write the {} Connection row: {}", name_of(which), written.text));
  }
  co_return written.done();
}

}  // namespace tandem::agent
