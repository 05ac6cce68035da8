#pragma once

// A schema with columns of every kind, and rows of it, for the tests of this folder.

#include <string>
#include <string_view>

#include "protocol/json/json_reader.h"
#include "protocol/row.h"
#include "protocol/schema.h"

namespace tandem::sample {

inline SchemaRef schema() {
  static const SchemaRef made =
      DatabaseSchema::from_text(R"({"name":"T","version":"1.0.0","tables":{
    "q":{"isRoot":true,"columns":{"n":{"type":"integer"},"name":{"type":"string"}}},
    "t":{"isRoot":true,"columns":{
      "e":{"type":{"key":{"type":"string","enum":["set",["","a","b"]]}}},
      "i":{"type":"integer"},
      "i13":{"type":{"key":"integer","min":1,"max":3}},
      "im":{"type":"integer","mutable":false},
      "lim":{"type":{"key":{"type":"integer","minInteger":-5,"maxInteger":10}}},
      "mss":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},
      "oi":{"type":{"key":"integer","min":0,"max":1}},
      "r":{"type":"real"},
      "s":{"type":"string"},
      "si":{"type":{"key":"integer","min":0,"max":"unlimited"}},
      "sr":{"type":{"key":"real","min":0,"max":"unlimited"}},
      "ref":{"type":{"key":{"type":"uuid","refTable":"t"},"min":0,"max":"unlimited"}}}},
    "strict":{"isRoot":true,"columns":{"e":{"type":{"key":{"type":"string","enum":["set",["a","b"]]}}}}}}})")
          .value();
  return made;
}

inline const TableSchema& table(std::string_view name = "t") {
  return schema()->table(*schema()->find_table(name));
}

inline ColumnIndex column(std::string_view name, std::string_view in = "t") {
  return *table(in).find_column(name);
}

inline JsonDocument parsed(std::string_view text) { return parse_json(text).value(); }

inline Uuid uuid(int last_digit) {
  return *Uuid::parse("550e8400-e29b-41d4-a716-44665544000" + std::to_string(last_digit));
}

/// A row of the table with these columns, the others at their defaults.
inline RowRef row(std::string_view values, std::string_view in = "t", int last_digit = 1) {
  const JsonDocument json = parsed(values);
  RowDraft draft = Row::create(table(in), uuid(last_digit));
  for (const JsonMember& member : json.root().members()) {
    const ColumnIndex index = column(member.name, in);
    draft->set(index, table(in).column(index).type.datum_from_json(member.value, nullptr).value());
  }
  return draft;
}

inline std::string text_of(const DatumView& datum) {
  std::string text;
  append_datum_json(text, datum);
  return text;
}

/// An error as it goes on the wire.
inline std::string text_of(const Error& error) { return to_text(error); }

}  // namespace tandem::sample
