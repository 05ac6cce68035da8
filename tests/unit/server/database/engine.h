#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "protocol/json/json_output.h"
#include "protocol/json/json_reader.h"
#include "server/database/database.h"
#include "server/database/record_codec.h"

namespace tandem {

inline SchemaRef schema_of(std::string_view text) {
  auto schema = DatabaseSchema::from_text(text);
  INFO((schema ? std::string() : schema.error().to_string()));
  REQUIRE(schema.has_value());
  return *schema;
}

/// A row's UUID that is easy to read: 00000000-0000-0000-0000-0000000000NN.
inline std::string uuid(int n) { return Uuid{0, static_cast<std::uint64_t>(n)}.to_string(); }
inline std::string ref(int n) { return R"(["uuid",")" + uuid(n) + "\"]"; }

/// The record that a snapshot makes, its rows in order of UUIDs.
inline std::string record_of(const Snapshot& snapshot) {
  std::string text;
  SnapshotRecord record(snapshot, "", 7);
  for (auto piece = record.next(); !piece.empty(); piece = record.next()) text += piece;
  const auto value = parse_json(text);
  REQUIRE(value.has_value());
  return to_text(*value);
}

/// A database that takes transactions as text.
class Engine {
 public:
  explicit Engine(std::string_view schema) : database(schema_of(schema)) {}

  /// Executes operations, given as JSON texts, and returns the result's text.
  template <class... Operations>
  std::string transact(const Operations&... operations) {
    std::string text = "[\"T\"";
    ((text += ',', text += operations), ...);
    text += ']';
    const auto params = parse_json(text);
    REQUIRE(params.has_value());
    Transaction transaction = Transaction::from_json(database.schema(), *params);
    outcome = database.execute(transaction, context);
    std::string result;
    outcome.result.append_json(result);
    return to_text(*parse_json(result));
  }
  /// The log record of the last transaction; empty when there is none.
  std::string record(ColumnForm form = ColumnForm::kDifference) const {
    if (!outcome.commit || !outcome.commit->persistent) return "";
    return encode_record(*database.schema(), outcome.commit->changes, outcome.commit->comment, 7,
                         form);
  }
  /// Everything in the database, as a record.
  std::string contents() const { return record_of(database.snapshot()); }
  /// Applies a record, as replay does.
  Result<void> replay(std::string_view body) {
    auto decoded = decode_record(database, body);
    if (!decoded) return decoded.error();
    database.apply(decoded->changes);
    return {};
  }

  Database database;
  TransactContext context;
  TransactOutcome outcome;
};

/// The last element of a result, without brackets.
inline std::string details_of_last(const std::string& result) {
  const auto value = parse_json(result);
  REQUIRE(value.has_value());
  const JsonView results = *value;
  const JsonView last = results[results.size() - 1];
  const JsonView details = last.find("details");
  return details ? std::string(details.get_string()) : to_text(last);
}

}  // namespace tandem
