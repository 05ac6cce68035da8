#include "protocol/schema.h"

#include <catch2/catch.hpp>

using namespace tandem;

namespace {

/// The schema as it prints again, or the error.
std::string reread(std::string_view text) {
  const auto schema = DatabaseSchema::from_text(text);
  return schema ? to_text(**schema) : schema.error().to_string();
}

std::string reread_table(const std::string& table) {
  return reread(R"({"name":"D","tables":{"T":)" + table + "}}");
}

}  // namespace

TEST_CASE("a schema prints as it was read, without defaults") {
  const char* schema =
      R"({"cksum":"1 2","name":"D","tables":{)"
      R"("T":{"columns":{"a":{"type":"string"},"z":{"ephemeral":true,"mutable":false,"type":"integer"}},"isRoot":true},)"
      R"("U":{"columns":{"x":{"type":{"key":{"refTable":"T","type":"uuid"},"min":0}},"y":{"type":"string"}},)"
      R"("indexes":[["y","x"],["_uuid"]],"maxRows":3}},"version":"1.2.3"})";
  CHECK(reread(schema) == schema);
  CHECK(
      reread(
          R"({"name":"D","tables":{"T":{"isRoot":false,"maxRows":4294967296,"indexes":[],)"
          R"("columns":{"a":{"type":{"key":{"type":"string"}},"mutable":true,"ephemeral":false}}}}})") ==
      R"({"name":"D","tables":{"T":{"columns":{"a":{"type":"string"}}}}})");
}

TEST_CASE("version and checksum are kept as written") {
  const auto schema = DatabaseSchema::from_text(
                          R"({"name":"D","version":"5.1.3","cksum":"12345678 9","tables":{}})")
                          .value();
  CHECK(schema->name() == "D");
  CHECK(schema->version() == "5.1.3");
  CHECK(schema->cksum() == "12345678 9");
}

TEST_CASE("tables and columns are sorted by name and found by it") {
  const auto schema =
      DatabaseSchema::from_text(
          R"({"name":"D","tables":{"B":{"columns":{"z":{"type":"string"},"A":{"type":"real"}}},)"
          R"("A":{"columns":{"x":{"type":{"key":{"type":"uuid","refTable":"B"},"min":0}}}}}})")
          .value();
  REQUIRE(schema->find_table("B") == 1);
  CHECK_FALSE(schema->find_table("C"));
  const TableSchema& table = schema->table(1);
  CHECK(table.own_columns() == 2);
  CHECK(table.find_column("_uuid") == kUuidColumn);
  CHECK(table.find_column("_version") == kVersionColumn);
  CHECK(table.find_column("A") == 2);
  CHECK(table.find_column("z") == 3);
  CHECK_FALSE(table.find_column("x"));
  CHECK(table.column(3).default_value == Datum::of(std::string_view()));
  CHECK(schema->table(0).column(2).type.key.ref_table_index == 1);
  CHECK(schema->table(0).column(2).type.key.is_strong_ref());
}

TEST_CASE("all tables are roots when the schema says it of none") {
  const auto roots = [](std::string_view t, std::string_view u) {
    const std::string column = R"("columns":{"a":{"type":"string"}})";
    const auto schema =
        DatabaseSchema::from_text(R"({"name":"D","tables":{"T":{)" + column + std::string(t) +
                                  R"(},"U":{)" + column + std::string(u) + "}}}")
            .value();
    return std::pair(schema->table(0).is_root, schema->table(1).is_root);
  };
  CHECK(roots("", "") == std::pair(true, true));
  CHECK(roots(R"(,"isRoot":false)", "") == std::pair(true, true));
  CHECK(roots(R"(,"isRoot":true)", "") == std::pair(true, false));
  CHECK(roots(R"(,"isRoot":true)", R"(,"isRoot":true)") == std::pair(true, true));
}

TEST_CASE("isRoot is not printed when all tables are roots") {
  CHECK(reread_table(R"({"columns":{"a":{"type":"string"}},"isRoot":true})") ==
        R"({"name":"D","tables":{"T":{"columns":{"a":{"type":"string"}}}}})");
}

TEST_CASE("faulty databases are refused in ovsdb-server's words") {
  CHECK(reread("[]") == "syntax error: Parsing database schema failed: Object expected.");
  CHECK(
      reread("{}") ==
      R"(syntax "{}": syntax error: Parsing database schema failed: Required 'name' member is missing.)");
  CHECK(
      reread(R"({"name":"1D","tables":{}})") ==
      R"(syntax "{"name":"1D","tables":{}}": syntax error: Parsing database schema failed: Type mismatch for member 'name'.)");
  CHECK(
      reread(R"({"name":"D","version":"1.2","tables":{}})") ==
      R"(syntax "{"name":"D","tables":{},"version":"1.2"}": syntax error: schema version "1.2" not in format x.y.z)");
  CHECK(
      reread(R"({"name":"D","tables":{"_T":{}}})") ==
      R"(syntax "{"name":"D","tables":{"_T":{}}}": syntax error: names beginning with "_" are reserved)");
  CHECK(reread(R"({"name":"D","tables":{"T U":{}}})") ==
        R"(syntax "{"name":"D","tables":{"T U":{}}}": syntax error: name must be a valid id)");
  CHECK(reread("{\"name\":").starts_with("syntax error: "));
}

TEST_CASE("versions are three numbers") {
  for (const auto* version :
       {"", "1", "1.2.3.4", "1..3", "1.2.", ".1.2", "1.2.x", "1.2.3a", "1.2.3 "}) {
    CAPTURE(version);
    CHECK_FALSE(DatabaseSchema::from_text(R"({"name":"D","tables":{},"version":")" +
                                          std::string(version) + R"("})"));
  }
  CHECK(DatabaseSchema::from_text(R"({"name":"D","tables":{},"version":"01.2.99999999999"})"));
}

TEST_CASE("faulty tables are refused in ovsdb-server's words") {
  CHECK(reread_table("1") ==
        "syntax error: Parsing table schema for table T failed: Object expected.");
  CHECK(
      reread_table("{}") ==
      R"(syntax "{}": syntax error: Parsing table schema for table T failed: Required 'columns' member is missing.)");
  CHECK(reread_table(R"({"columns":{}})") ==
        R"(syntax "{"columns":{}}": syntax error: table must have at least one column)");
  CHECK(reread_table(R"({"columns":{"_c":{}}})") ==
        R"(syntax "{"columns":{"_c":{}}}": syntax error: names beginning with "_" are reserved)");
  CHECK(reread_table(R"({"columns":{},"maxRows":0})") ==
        R"(syntax "{"columns":{},"maxRows":0}": syntax error: maxRows must be at least 1)");
  CHECK(
      reread_table(R"({"columns":{"c":{}}})") ==
      R"(syntax "{}": syntax error: Parsing schema for column c failed: Required 'type' member is missing.)");
  CHECK(reread_table(R"({"columns":{"c":{"type":"string","x":1}}})") ==
        R"(syntax "{"type":"string","x":1}": syntax error: )"
        "Parsing schema for column c failed: Member 'x' is present but not allowed here.");
}

TEST_CASE("faulty indexes are refused in ovsdb-server's words") {
  const std::string columns =
      R"({"columns":{"a":{"type":"string"},"e":{"ephemeral":true,"type":"string"}},"indexes":)";
  const auto whole = [&](const std::string& indexes) {
    return "syntax \"" + columns + indexes + "}\": syntax error: ";
  };
  CHECK(reread_table(columns + "[1]}") ==
        R"(syntax "1": syntax error: array of distinct column names expected)");
  CHECK(reread_table(columns + R"([["a","a"]]})") ==
        R"(syntax "["a","a"]": syntax error: array of distinct column names expected)");
  CHECK(reread_table(columns + R"([["zz"]]})") ==
        R"(syntax "["zz"]": syntax error: zz is not a valid column name)");
  CHECK(reread_table(columns + "[[]]}") == whole("[[]]") + "index must have at least one column");
  CHECK(reread_table(columns + R"([["e"]]})") ==
        whole(R"([["e"]])") + "ephemeral columns (such as e) may not be indexed");
  CHECK(reread_table(columns + R"([["_version"]]})") ==
        whole(R"([["_version"]])") + "ephemeral columns (such as _version) may not be indexed");
}

TEST_CASE("references must be to tables that there are") {
  CHECK(reread_table(R"({"columns":{"c":{"type":{"key":{"type":"uuid","refTable":"X"}}}}})") ==
        "syntax error: column c key refers to undefined table X");
  CHECK(
      reread_table(
          R"({"columns":{"c":{"type":{"key":"string","value":{"type":"uuid","refTable":"X"}}}}})") ==
      "syntax error: column c value refers to undefined table X");
}

TEST_CASE("a column of weak references is always mutable") {
  const auto is_mutable = [](const std::string& type) {
    const auto schema = DatabaseSchema::from_text(
        R"({"name":"D","tables":{"A":{"columns":{"c":{"mutable":false,"type":{"key":)"
        R"({"type":"uuid","refTable":"A","refType":")" +
        type + R"("},"min":0,"max":3}}}}}})");
    REQUIRE(schema.has_value());
    const TableSchema& table = (*schema)->table(0);
    return table.column(*table.find_column("c")).is_mutable;
  };
  CHECK(is_mutable("weak"));
  CHECK_FALSE(is_mutable("strong"));
}

TEST_CASE("a column by which rows live is not ephemeral") {
  const auto is_ephemeral = [](const std::string& reference, const std::string& other_table) {
    const auto schema = DatabaseSchema::from_text(
        R"({"name":"D","tables":{"A":{"isRoot":true,"columns":{"c":{"ephemeral":true,"type":)"
        R"({"key":"string","value":{"type":"uuid","refTable":"B")" +
        reference + R"(},"min":0,"max":3}}}},"B":{)" + other_table +
        R"("columns":{"n":{"type":"integer"}}}}})");
    REQUIRE(schema.has_value());
    const TableSchema& table = (*schema)->table(*(*schema)->find_table("A"));
    return table.column(*table.find_column("c")).ephemeral;
  };
  CHECK_FALSE(is_ephemeral("", ""));
  CHECK(is_ephemeral(R"(,"refType":"weak")", ""));
  CHECK(is_ephemeral("", R"("isRoot":true,)"));
}
