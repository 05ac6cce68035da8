#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "protocol/json/json_fault.h"
#include "protocol/json/json_reader.h"
#include "protocol/json/value.h"
#include "server/tool/command.h"
#include "server/tool/database_file.h"

// query and transact: one transaction, executed on the file itself.

namespace tandem::tool {
namespace {

using Access = storage::LogFile::Access;

/// Nobody else changes the file, so a wait that does not hold now never will. Executing it with no
/// time left makes it fail in its place; `patience` says which operations would have waited.
std::vector<bool> take_patience(Transaction& transaction) {
  std::vector<bool> patience;
  for (Operation& operation : transaction.operations) {
    auto* const wait = std::get_if<WaitOp>(&operation);
    patience.push_back(wait != nullptr && wait->timeout_ms != 0);
    if (wait != nullptr) wait->timeout_ms = 0;
  }
  return patience;
}

/// Names the error of a wait as ovsdb-tool does.
void name_waits(TransactResult& result, const std::vector<bool>& patience) {
  for (std::size_t i = 0; i < result.results.size() && i < patience.size(); i++) {
    auto* const error = std::get_if<Error>(&result.results[i]);
    if (error == nullptr || !patience[i] || error->tag != "timed out") continue;
    *error = Error{"not supported", "triggers not supported", std::nullopt};
  }
}

/// The transaction that a request's params are, or why they are none.
Result<Transaction> read_transaction(JsonView params, const SchemaRef& schema) {
  if (!params.is_array()) return syntax_error(params, "array expected");
  const bool names_database =
      !params.empty() && params[0].is_string() && params[0].get_string() == schema->name();
  if (!names_database) return syntax_error(params, "database name expected as first parameter");
  return Transaction::from_json(schema, params);
}

/// The same JSON with the members of objects by name, as ovsdb-tool prints it.
std::string sorted(const std::string& text) { return to_text(*read_json(text)); }

/// Writes and syncs what the transaction changed.
Result<void> keep(StoredDatabase& database) {
  if (!database.has_staged()) return {};
  const Result<void> written = database.flush();
  return written ? database.log()->sync() : written;
}

TransactResult execute(StoredDatabase& database, Transaction transaction, const std::string& role,
                       Access access) {
  const std::vector<bool> patience = take_patience(transaction);
  TransactContext context;
  context.role = role;
  TransactOutcome outcome = database.execute(transaction, context);
  name_waits(outcome.result, patience);
  if (access == Access::kReadWrite) {
    if (const Result<void> kept = keep(database); !kept) {
      outcome.result.results.emplace_back(kept.error());
    }
  }
  return std::move(outcome.result);
}

Result<int> run(const Environment& environment, Access access) {
  const Invocation& invocation = environment.invocation;
  const bool names_file = invocation.arguments.size() == 2;
  const auto database = open_database(
      environment.files, invocation.database(names_file ? 0 : invocation.arguments.size()), access,
      environment.clock);
  if (!database) return database.error();

  const std::string& text = invocation.arguments.back();
  // No plain value, which the stock tool takes for no JSON either.
  if (const std::string fault = describe_json_fault(text); !fault.empty())
    return user_error("\"" + text + "\": " + fault);
  const auto value = parse_json(text);
  if (!value) return value.error();
  std::string reply;
  if (auto transaction = read_transaction(*value, (*database)->schema()); !transaction) {
    reply = to_text(transaction.error());
  } else {
    execute(**database, std::move(*transaction), invocation.rbac_role, access).append_json(reply);
  }
  environment.out << sorted(reply) << '\n';
  return kDone;
}

}  // namespace

Result<int> query(const Environment& environment) { return run(environment, Access::kReadOnly); }

Result<int> transact(const Environment& environment) {
  return run(environment, Access::kReadWrite);
}

}  // namespace tandem::tool
