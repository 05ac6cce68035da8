#include <fmt/core.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>

#include "protocol/datum_scanner.h"
#include "protocol/json/json_output.h"
#include "protocol/json/json_reader.h"
#include "server/database/record_codec.h"

// A compacted file is one record of all rows, 57 MB for a large site, so records are read without a
// DOM: a scanner walks objects, datums are made from the text where they stand. Only what is wrong
// is parsed properly, to name the error.

namespace tandem {
namespace {

/// The JSON of a piece of text as "syntax" shows it, keys sorted.
std::string normal_text(std::string_view text) {
  const auto value = parse_json(text);
  return value ? to_text(*value) : std::string(text);
}

/// Walks an object: calls member(name, scanner), which must go past the value and returns
/// Result<void>.
template <class Member>
Result<void> walk_object(JsonScanner& scanner, Member&& member) {
  const auto broken = [] { return syntax_error(nullptr, "a record is not complete"); };
  if (!scanner.take('{')) return broken();
  if (scanner.take('}')) return {};
  std::string unescaped;
  do {
    auto name = scanner.raw_string();
    if (name && scanner.has_escapes()) {
      unescaped.clear();
      if (!append_unescaped(unescaped, *name)) return broken();
      name = unescaped;
    }
    if (!name || !scanner.take(':')) return broken();
    if (auto read = member(*name, scanner); !read) return read;
  } while (scanner.take(','));
  if (!scanner.take('}')) return broken();
  return {};
}

/// So many rows of a table are looked for one by one. Most tables of a record hold one.
constexpr std::size_t kFewRows = 8;

class RecordReader {
 public:
  RecordReader(const Database& database, std::string_view body)
      : database_(database), body_(body) {}

  Result<DecodedRecord> read() {
    JsonScanner scanner(body_);
    auto walked = walk_object(
        scanner, [&](std::string_view name, JsonScanner& at) { return read_top(name, at); });
    if (!walked || !scanner.at_end())
      return why_not_json(walked ? syntax_error(nullptr, "") : walked.error());
    // Differences are marked anywhere in the record, so rows wait until all of it has been seen.
    std::stable_sort(tables_.begin(), tables_.end(),
                     [](const TableText& a, const TableText& b) { return a.table < b.table; });
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      // A table that stands twice counts as it stands last, as in any JSON object.
      if (i + 1 < tables_.size() && tables_[i + 1].table == tables_[i].table) continue;
      if (auto rows = read_table(tables_[i]); !rows) return why_not_json(rows.error());
    }
    return std::move(record_);
  }

 private:
  struct TableText {
    TableIndex table;
    std::string_view text;
  };

  /// If the record is no JSON at all, that is the error.
  Error why_not_json(Error found) const {
    if (const auto value = parse_json(body_); !value) return value.error();
    return found;
  }

  Result<void> read_top(std::string_view name, JsonScanner& scanner) {
    const auto text = scanner.raw_value();
    if (!text) return syntax_error(nullptr, "a record is not complete");
    if (name == "_comment") return read_comment(*text);
    if (name == "_date" && read_date(*text)) return {};
    if (name == "_is_diff" && (*text == "true" || *text == "false")) {
      is_diff_ = *text == "true";
      return {};
    }
    const std::optional<TableIndex> table = database_.schema()->find_table(name);
    if (!table) {
      return Error{"unknown table", fmt::format("No table named {}.", name), normal_text(body_)};
    }
    tables_.push_back({*table, *text});
    return {};
  }

  /// A comment that is no string counts as none, as for ovsdb-server.
  Result<void> read_comment(std::string_view text) {
    const auto value = parse_json(text);
    if (!value) return value.error();
    record_.comment =
        value->root().is_string() ? std::string(value->root().get_string()) : std::string();
    return {};
  }

  bool read_date(std::string_view text) {
    std::int64_t date = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), date);
    if (failure != std::errc() || end != text.data() + text.size()) {
      const auto value = parse_json(text);
      if (!value || !as_integer(*value, date)) return false;
    }
    record_.date_ms = date;
    return true;
  }

  Result<void> read_table(const TableText& table) {
    JsonScanner scanner(table.text);
    if (!scanner.sees('{')) return syntax_error_text(normal_text(table.text), "object expected");
    first_ = record_.changes.size();
    places_.clear();
    unknown_.clear();
    auto walked = walk_object(scanner, [&](std::string_view name, JsonScanner& at) -> Result<void> {
      const std::optional<Uuid> uuid = Uuid::parse(name);
      if (!uuid) {
        return syntax_error_text(normal_text(table.text),
                                 fmt::format("\"{}\" is not a valid UUID", name));
      }
      return read_row(table.table, *uuid, at);
    });
    if (!walked) return walked;
    for (const Uuid& uuid : unknown_) {
      if (place_of(uuid)) continue;  // it stands there again, as a new row
      return syntax_error(
          nullptr, fmt::format("transaction deletes row {} that does not exist", uuid.to_string()));
    }
    return {};
  }

  Result<void> read_row(TableIndex table, const Uuid& uuid, JsonScanner& scanner) {
    RowChange change{table, database_.find(table, uuid), nullptr};
    if (scanner.take("null")) {
      if (change.before) {
        add(std::move(change));
      } else {
        forget(uuid);
        unknown_.push_back(uuid);
      }
      return {};
    }
    if (!scanner.sees('{')) {
      const auto text = scanner.raw_value();
      return syntax_error_text(text ? normal_text(*text) : "", "row must be JSON object");
    }
    const TableSchema& schema = database_.table(table).schema();
    const RowDraft row = change.before ? Row::clone(*change.before) : Row::create(schema, uuid);
    const char* const begin = scanner.position();
    bool changed = !change.before;
    auto walked = walk_object(scanner, [&](std::string_view name, JsonScanner& at) -> Result<void> {
      const std::optional<ColumnIndex> column = schema.find_column(name);
      if (!column) {
        at.rewind(begin);
        const auto text = at.raw_value();
        return Error{"unknown column", fmt::format("No column {} in table {}.", name, schema.name),
                     text ? normal_text(*text) : ""};
      }
      auto datum = read_datum(schema.column(*column), *column, change.before.get(), at);
      if (!datum) return datum.error();
      if (*column < kFirstOwnColumn || row->datum(*column) == *datum) return {};
      row->set(*column, std::move(*datum));
      changed = true;
      return {};
    });
    if (!walked) return walked;
    if (!changed) {
      forget(uuid);
      return {};
    }
    row->set_version(Uuid::random());
    change.after = row;
    add(std::move(change));
    return {};
  }

  Result<Datum> read_datum(const ColumnSchema& column, ColumnIndex index, const Row* before,
                           JsonScanner& scanner) {
    if (!is_diff_ || !before || !column.type.has_difference()) {
      return datums_.read(scanner, column.type, ColumnType::Sizes::kChecked);
    }
    const auto difference = datums_.read(scanner, column.type, ColumnType::Sizes::kAny);
    if (!difference) return difference.error();
    if (!Datum::fit_together(before->datum(index), *difference)) return datum_too_large();
    Datum datum = apply_diff(before->view(index), difference->view());
    if (datum.size() < column.type.n_min || datum.size() > column.type.n_max) {
      return Error{"ovsdb error", "Datum crated by diff has size error", {}};
    }
    return datum;
  }

  /// A row that stands twice counts as it stands last, as in any JSON object.
  void add(RowChange change) {
    std::vector<RowChange>& changes = record_.changes;
    if (const auto place = place_of(change.uuid())) {
      changes[*place] = std::move(change);
      return;
    }
    changes.push_back(std::move(change));
    if (!places_.empty()) {
      places_.emplace(changes.back().uuid(), changes.size() - 1);
    } else if (changes.size() - first_ > kFewRows) {
      for (std::size_t i = first_; i < changes.size(); ++i) places_.emplace(changes[i].uuid(), i);
    }
  }

  /// An earlier mention of the row in the record does not count.
  void forget(const Uuid& uuid) {
    const std::optional<std::size_t> place = place_of(uuid);
    if (!place) return;
    std::vector<RowChange>& changes = record_.changes;
    const bool mapped = places_.erase(uuid) > 0;
    if (*place + 1 < changes.size()) {
      changes[*place] = std::move(changes.back());
      if (mapped) places_[changes[*place].uuid()] = *place;
    }
    changes.pop_back();
  }

  /// Where the row stands in record_.changes, if it is of the table that is being read.
  std::optional<std::size_t> place_of(const Uuid& uuid) const {
    if (!places_.empty()) {
      const auto found = places_.find(uuid);
      return found == places_.end() ? std::nullopt : std::optional(found->second);
    }
    for (std::size_t i = first_; i < record_.changes.size(); ++i) {
      if (record_.changes[i].uuid() == uuid) return i;
    }
    return std::nullopt;
  }

  const Database& database_;
  const std::string_view body_;
  DecodedRecord record_;
  bool is_diff_ = false;
  std::vector<TableText> tables_;
  // Of the table that is being read:
  std::size_t first_ = 0;                                // its first row in record_.changes
  boost::unordered_flat_map<Uuid, std::size_t> places_;  // of its rows there; empty: they are few
  std::vector<Uuid> unknown_;  // rows that it deletes and the database has not
  DatumScanner datums_;
};

}  // namespace

Result<DecodedRecord> decode_record(const Database& database, std::string_view body) {
  return RecordReader(database, body).read();
}

}  // namespace tandem
