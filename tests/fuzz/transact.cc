// Transactions, one a line: operations, execution, rules, and the log records that come of them.

#include "tests/fuzz/fuzz.h"

namespace tandem::fuzz {
namespace {

void transact(Database& database, Database& replica, JsonView params) {
  Transaction transaction = Transaction::from_json(database.schema(), params);
  TransactContext context;
  context.owns_lock = [](std::string_view lock) { return lock == "mine"; };
  const TransactOutcome outcome = database.execute(transaction, context);
  std::string result;
  outcome.result.append_json(result);
  if (!outcome.blocked) require(parse_json(result).has_value(), "a result is JSON");
  if (!outcome.commit || !outcome.commit->persistent) return;
  for (const ColumnForm form : {ColumnForm::kDifference, ColumnForm::kWhole}) {
    const std::string record = encode_record(*database.schema(), outcome.commit->changes,
                                             outcome.commit->comment, 0, form);
    const auto decoded = decode_record(replica, record);
    require(decoded.has_value(), "a record that is written can be read");
    if (form == ColumnForm::kWhole) replica.apply(decoded->changes);
  }
}

}  // namespace
}  // namespace tandem::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tandem;
  using namespace tandem::fuzz;
  Database database(schema());
  Database replica(schema());
  for (const std::string_view line : lines_of({reinterpret_cast<const char*>(data), size})) {
    const auto value = parse_json(line);
    if (value && value->root().is_array()) transact(database, replica, *value);
  }
  require(contents_of(database) == contents_of(replica), "the records lead to the same rows");
  return 0;
}
