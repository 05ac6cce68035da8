#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/value.h"
#include "server/database/snapshot.h"

namespace tandem::fuzz {

/// What a client knows of one table through one monitor: it applies what it is sent as RFC 7047 and
/// ovsdb-server(7) say. Values are texts; nothing of the server's own code is used.
class MonitorModel {
 public:
  /// One clause of a monitor's condition; what a clause may look like here is in matches().
  struct Clause {
    std::string column, function;
    Json value;
  };
  struct Condition {
    std::vector<Clause> any_of;  ///< none: every row
    Json to_json() const;
  };
  enum class Version : std::uint8_t { kUpdate, kUpdate2, kUpdate3 };

  std::string database, table;
  Version version = Version::kUpdate2;
  std::vector<std::string> columns;
  Condition condition;
  /// False: what it is sent is not followed, because it asked for less than everything.
  bool followed = true;

  /// Takes <table-updates>, in the first answer or later.
  void apply(const Json& table_updates);
  /// Whether a row that has come into the table must be known.
  bool sees_all() const { return followed && condition.any_of.empty(); }
  bool knows(const std::string& uuid) const { return rows_.contains(uuid); }
  /// Knows what a database holds, under the condition.
  void check(const Snapshot& snapshot) const;

 private:
  /// A set has its atoms as keys, a map its pairs, a scalar one value with the key "".
  using Value = std::map<std::string, std::string>;
  using Row = std::map<std::string, Value>;

  static Value read(const std::string& column, const Json& datum);
  Row defaults() const;
  void set(Row& row, const Json& values) const;
  void apply_diff(Row& row, const Json& values) const;
  void apply_update(const std::string& uuid, const Json& update);
  void apply_update2(const std::string& uuid, const Json& update);
  bool matches(const Row& row) const;

  std::map<std::string, Row> rows_;
};

}  // namespace tandem::fuzz
