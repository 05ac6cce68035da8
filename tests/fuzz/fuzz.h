#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/json_reader.h"
#include "protocol/schema.h"
#include "server/database/database.h"
#include "server/database/record_codec.h"

// What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(): besides not
// crashing, leaking or hanging, what it calls must keep promises, which it checks with require().

namespace tandem::fuzz {

/// Ends the run, and libFuzzer keeps the input, unless `holds`.
inline void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// The input's lines, without their ends.
inline std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// A schema with every kind of column, named "D": tables A (root), B (not), and C (limits,
/// indexes).
inline const SchemaRef& schema() {
  static const SchemaRef schema =
      *DatabaseSchema::from_text(R"({"name":"D","version":"1.0.0","tables":{
    "A":{"isRoot":true,"columns":{
      "b":{"type":"boolean"},"i":{"type":"integer"},"r":{"type":"real"},"s":{"type":"string"},
      "u":{"type":"uuid"},"si":{"type":{"key":"integer","min":0,"max":"unlimited"}},
      "ss":{"type":{"key":"string","min":0,"max":3}},
      "m":{"type":{"key":"string","value":"integer","min":0,"max":"unlimited"}},
      "to":{"type":{"key":{"type":"uuid","refTable":"B"},"min":0,"max":"unlimited"}},
      "weak":{"type":{"key":{"type":"uuid","refTable":"C","refType":"weak"},"min":0,"max":"unlimited"}}}},
    "B":{"columns":{"s":{"type":"string"},
      "next":{"type":{"key":{"type":"uuid","refTable":"B"},"min":0,"max":1}},
      "mr":{"type":{"key":"real","value":{"type":"uuid","refTable":"C","refType":"weak"},"min":0,"max":2}}}},
    "C":{"isRoot":true,"maxRows":4,"indexes":[["k"],["e","k"]],"columns":{
      "k":{"type":{"key":{"type":"integer","minInteger":-1,"maxInteger":7}}},
      "e":{"type":{"key":{"type":"string","enum":["set",["","a","b"]]}}},
      "f":{"type":"string","mutable":false},
      "w":{"type":{"key":{"type":"uuid","refTable":"A","refType":"weak"},"min":1,"max":2}},
      "x":{"type":{"key":{"type":"string","minLength":1,"maxLength":2},"min":0,"max":1}}}}}})");
  return schema;
}

/// All rows, as the record of a compacted file.
inline std::string contents_of(const Database& database) {
  std::string text;
  SnapshotRecord record(database.snapshot(), "", 0);
  for (auto piece = record.next(); !piece.empty(); piece = record.next()) text += piece;
  return to_text(*parse_json(text));
}

}  // namespace tandem::fuzz
