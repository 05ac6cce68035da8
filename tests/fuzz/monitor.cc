// What clients monitor. Lines: the requests, the changes of conditions, transactions.

#include "protocol/monitor.h"

#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

void initial(const MonitorRequest& request, const Database& database) {
  const Snapshot snapshot = database.snapshot();
  std::string text;
  UpdateWriter writer(request, text);
  for (const MonitoredTable& table : request.tables) {
    snapshot.tables[table.table].for_each([&](const Row& row) {
      if (table.condition.matches(row)) writer.initial(table, row);
    });
  }
  writer.end();
  require(parse_json(text).has_value(), "an initial answer is JSON");
}

void update(const MonitorRequest& request, const Commit& commit) {
  std::string text;
  UpdateWriter writer(request, text);
  for (const RowChange& change : commit.changes) {
    if (const MonitoredTable* table = request.find(change.table))
      writer.change(*table, change.before.get(), change.after.get());
  }
  writer.end();
  require(writer.empty() == (text == "{}"), "an update says whether it is empty");
  require(parse_json(text).has_value(), "an update is JSON");
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  const auto lines = lines_of({reinterpret_cast<const char*>(data), size});
  if (lines.size() < 2) return 0;
  const auto asked = parse_json(lines[0]);
  if (!asked) return 0;
  std::vector<MonitorRequest> requests;
  for (const auto version :
       {MonitorVersion::kUpdate, MonitorVersion::kUpdate2, MonitorVersion::kUpdate3}) {
    auto request = MonitorRequest::from_json(schema(), version, *asked);
    if (request) requests.push_back(std::move(*request));
  }
  if (const auto changes = parse_json(lines[1])) {
    for (std::size_t i = requests.size(); i-- > 0;) {
      auto changed = requests[i].with_conditions(*changes);
      if (changed) requests.push_back(std::move(*changed));
    }
  }
  Database database(schema());
  for (std::size_t i = 2; i < lines.size(); i++) {
    const auto params = parse_json(lines[i]);
    if (!params || !params->root().is_array()) continue;
    Transaction transaction = Transaction::from_json(schema(), *params);
    const TransactOutcome outcome = database.execute(transaction, {});
    if (!outcome.commit) continue;
    for (const MonitorRequest& request : requests) update(request, *outcome.commit);
  }
  for (const MonitorRequest& request : requests) initial(request, database);
  return 0;
}
