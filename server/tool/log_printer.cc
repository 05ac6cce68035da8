#include "server/tool/log_printer.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <ostream>

#include "protocol/json/json_reader.h"

namespace tandem::tool {
namespace {

/// The schema of a table's column, or null.
const ColumnSchema* find_column(const TableSchema* table, std::string_view name) {
  if (table == nullptr) return nullptr;
  const auto column = table->find_column(name);
  return column ? &table->column(*column) : nullptr;
}

Result<Datum> read_datum(const ColumnSchema& column, JsonView value) {
  return column.type.datum_from_json(value, nullptr, ColumnType::Sizes::kAny);
}

/// "2026-11-23 01:06:10.606", UTC. Old files have seconds instead of milliseconds.
std::string date_text(std::int64_t date) {
  using Limits = std::numeric_limits<std::int32_t>;
  if (date < Limits::max() && date > Limits::min()) date *= 1000;
  // The first second that counts as a whole.
  date = std::max(date, std::numeric_limits<std::int64_t>::min() + 1000);
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(date)};
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}",
                     fmt::gmtime(std::time_t{seconds.time_since_epoch().count()}),
                     (time - seconds).count());
}

std::string row_key(std::string_view table, std::string_view uuid) {
  return fmt::format("{}/{}", table, uuid);
}

}  // namespace

Result<void> LogPrinter::print(const storage::Record& record) {
  const auto value = record.object();
  if (!value) return value.error();
  if (record.index == 0) return print_schema(*value);
  print_head(record.index, *value);
  if (detail_ > 0 && print_tables(*value)) out_ << '\n';
  return {};
}

Result<void> LogPrinter::print_schema(JsonView value) {
  out_ << "record 0:";
  Result<SchemaRef> schema = DatabaseSchema::from_json(value);
  if (!schema) {
    out_ << '\n';
    return schema.error();
  }
  schema_ = std::move(*schema);
  out_ << fmt::format(" \"{}\" schema, version=\"{}\", cksum=\"{}\"\n\n", schema_->name(),
                      schema_->version(), schema_->cksum());
  return {};
}

void LogPrinter::print_head(std::size_t index, JsonView record) {
  out_ << "record " << index << ':';
  std::int64_t date = 0;
  if (as_integer(record.find("_date"), date)) out_ << ' ' << date_text(date);
  if (const JsonView comment = record.find("_comment"); comment.is_string())
    out_ << " \"" << comment.get_string() << '"';
  out_ << '\n';
}

bool LogPrinter::print_tables(JsonView record) {
  const JsonView mark = record.find("_is_diff");
  const bool is_diff = mark.is_bool() && mark.get_bool();
  bool any = false;
  for (const auto& [table, rows] : record.members()) {
    if (table.starts_with('_') || !rows.is_object()) continue;
    any = true;
    for (const auto& [uuid, row] : rows.members()) print_row(table, uuid, row, is_diff);
  }
  return any;
}

void LogPrinter::print_row(std::string_view table, std::string_view uuid, JsonView row,
                           bool is_diff) {
  const std::string key = row_key(table, uuid);
  const auto known = names_.find(key);
  const bool is_insert = known == names_.end() && (row.is_object() || row.is_null());
  const std::string before = known == names_.end() ? "" : known->second;
  const TableSchema* const schema = find_table(table);
  const std::string after = row.is_object() ? name_after(schema, before, row, is_diff) : before;

  const std::string_view start = uuid.substr(0, 8);
  const std::string& name = is_insert ? after : before;
  out_ << "  table " << table << (is_insert ? " insert row " : " row ");
  if (!name.empty()) {
    out_ << name << " (" << start << ')';
  } else if (is_insert) {
    out_ << start;
  } else {
    out_ << start << " (" << start << ')';
  }
  out_ << (!is_insert && is_diff ? " diff:\n" : ":\n");

  if (row.is_null()) {
    out_ << "    delete row\n";
    names_.erase(key);
  } else if (row.is_object()) {
    if (detail_ > 1) print_columns(schema, row);
    names_[key] = after;
  }
}

void LogPrinter::print_columns(const TableSchema* table, JsonView row) {
  std::string text;
  for (const auto& [name, value] : row.members()) {
    text.append("    ").append(name).append("=");
    const ColumnSchema* const column = find_column(table, name);
    const Result<Datum> datum =
        column != nullptr ? read_datum(*column, value) : syntax_error(nullptr, "");
    if (datum) {
      append_datum_text(text, column->type, datum->view());
    } else {
      append_json(text, value);
    }
    text += '\n';
  }
  out_ << text;
}

std::string LogPrinter::name_after(const TableSchema* table, const std::string& before,
                                   JsonView row, bool is_diff) {
  const JsonView member = row.find("name");
  if (!member) return before;
  const std::string written = member.is_null() ? "" : to_text(member);
  const ColumnSchema* const column = find_column(table, "name");
  if (!is_diff || before.empty() || column == nullptr || !column->type.has_difference())
    return written;
  const auto value_before = parse_json(before);
  if (!value_before) return written;
  const Result<Datum> old = read_datum(*column, *value_before);
  const Result<Datum> difference = read_datum(*column, member);
  if (!old || !difference) return written;
  const Datum datum = apply_diff(old->view(), difference->view());
  std::string name;
  if (!datum.empty()) append_datum_json(name, datum.view());
  return name;
}

const TableSchema* LogPrinter::find_table(std::string_view name) const {
  const auto table = schema_ ? schema_->find_table(name) : std::nullopt;
  return table ? &schema_->table(*table) : nullptr;
}

}  // namespace tandem::tool
