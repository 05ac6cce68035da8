// Datums as RFC 7047 <value>, in and out, and as people read them.
//
// Whole databases pass through here, so atoms are read without a Result each: one that does not fit
// is looked at again to name its error.

#include <fmt/core.h>

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "protocol/datum_cursor.h"
#include "protocol/type.h"

namespace tandem {

namespace {

/// The X of [tag, X], or null.
const json::value* tagged(const json::value& value, std::string_view tag) {
  const auto* array = value.if_array();
  if (!array || array->size() != 2) return nullptr;
  const auto* first = (*array)[0].if_string();
  return first && std::string_view(*first) == tag ? &(*array)[1] : nullptr;
}

/// The elements of [tag, [...]], or null.
const json::array* tagged_array(const json::value& value, std::string_view tag) {
  const json::value* elements = tagged(value, tag);
  return elements ? elements->if_array() : nullptr;
}

bool begins_with_set(const json::value& value) {
  const auto* array = value.if_array();
  if (!array || array->empty()) return false;
  const auto* first = (*array)[0].if_string();
  return first && std::string_view(*first) == "set";
}

bool read_uuid(const json::value& value, SymbolTable* symbols, AtomView& out) {
  if (const json::value* text = tagged(value, "uuid"); text && text->is_string()) {
    const auto uuid = Uuid::parse(text->get_string());
    if (uuid) out = *uuid;
    return uuid.has_value();
  }
  if (!symbols) return false;
  const json::value* name = tagged(value, "named-uuid");
  if (!name || !name->is_string() || !is_id(name->get_string())) return false;
  out = symbols->get(name->get_string()).uuid;
  return true;
}

/// Reads an atom of the type without regard to its constraints.
bool read_atom(const json::value& value, AtomicType type, SymbolTable* symbols, AtomView& out) {
  switch (type) {
    case AtomicType::kInteger: {
      std::int64_t integer = 0;
      if (!as_integer(value, integer)) return false;
      out = integer;
      return true;
    }
    case AtomicType::kReal:
      if (value.is_double()) {
        out = value.get_double();
      } else if (value.is_int64()) {
        out = static_cast<double>(value.get_int64());
      } else if (value.is_uint64()) {
        out = static_cast<double>(value.get_uint64());
      } else {
        return false;
      }
      return true;
    case AtomicType::kBoolean:
      if (!value.is_bool()) return false;
      out = value.get_bool();
      return true;
    case AtomicType::kString:
      if (!value.is_string()) return false;
      out = std::string_view(value.get_string());
      return true;
    case AtomicType::kUuid:
      return read_uuid(value, symbols, out);
  }
  return false;
}

/// Why read_atom() said no.
Error atom_error(const json::value& value, AtomicType type, SymbolTable* symbols) {
  if (type != AtomicType::kUuid)
    return syntax_error(&value, fmt::format("expected {}", to_string(type)));
  if (const auto* text = tagged(value, "uuid"); text && text->is_string()) {
    return syntax_error(
        &value, fmt::format("\"{}\" is not a valid UUID", std::string_view(text->get_string())));
  }
  if (const auto* name = tagged(value, "named-uuid"); symbols && name && name->is_string()) {
    return syntax_error(&value, "named-uuid string is not a valid <id>");
  }
  return syntax_error(&value, "expected [\"uuid\", <string>]");
}

/// Reads an atom and checks its constraints.
std::optional<Error> read_checked(const json::value& value, const BaseType& base,
                                  SymbolTable* symbols, AtomView& out) {
  if (!read_atom(value, base.type, symbols, out)) return atom_error(value, base.type, symbols);
  if (!base.allows(out)) return base.check(out).error();
  return std::nullopt;
}

std::optional<Error> check_size(const ColumnType& type, std::size_t size,
                                const json::value& value) {
  if (size >= type.n_min && size <= type.n_max) return std::nullopt;
  const char* const kind = type.is_map() ? "map" : "set";
  if (type.n_min == 1 && type.n_max == 1) {
    return syntax_error(
        &value, fmt::format("{} must have exactly one member but {} are present", kind, size));
  }
  return syntax_error(&value, fmt::format("{} must have {} to {} members but {} are present", kind,
                                          type.n_min, type.n_max, size));
}

Result<Datum> read_set(const ColumnType& type, const json::array& elements, SymbolTable* symbols) {
  thread_local DatumBuilder builder(AtomicType::kInteger);
  builder.restart(type.key.type);
  builder.reserve(elements.size());
  for (const json::value& element : elements) {
    AtomView atom;
    if (auto error = read_checked(element, type.key, symbols, atom)) return std::move(*error);
    builder.add(atom);
  }
  if (auto datum = builder.build()) return std::move(*datum);
  if (builder.is_too_large()) return datum_too_large();
  return Error{"ovsdb error", "set contains duplicate", std::nullopt};
}

Result<Datum> read_map(const ColumnType& type, const json::array& pairs, SymbolTable* symbols) {
  thread_local DatumBuilder builder(AtomicType::kInteger);
  builder.restart(type.key.type, type.value->type);
  builder.reserve(pairs.size());
  for (const json::value& element : pairs) {
    const auto* pair = element.if_array();
    if (!pair || pair->size() != 2) return syntax_error(&element, "expected 2-element array");
    AtomView key;
    AtomView value;
    if (auto error = read_checked((*pair)[0], type.key, symbols, key)) return std::move(*error);
    if (auto error = read_checked((*pair)[1], *type.value, symbols, value))
      return std::move(*error);
    builder.add(key, value);
  }
  if (auto datum = builder.build()) return std::move(*datum);
  if (builder.is_too_large()) return datum_too_large();
  return Error{"ovsdb error", "map contains duplicate key", std::nullopt};
}

/// Appends the elements, each by `append(cursor)`, between commas.
template <class Append>
void append_list(std::string& out, const DatumView& datum, std::string_view comma, Append append) {
  bool any = false;
  for (DatumCursor at(datum); !at.done(); at.advance()) {
    if (any) out += comma;
    any = true;
    append(at);
  }
}

json::value atom_to_json(const AtomView& atom) {
  switch (type_of(atom)) {
    case AtomicType::kInteger:
      return *std::get_if<std::int64_t>(&atom);
    case AtomicType::kReal:
      return *std::get_if<double>(&atom);
    case AtomicType::kBoolean:
      return *std::get_if<bool>(&atom);
    case AtomicType::kString:
      return json::string(*std::get_if<std::string_view>(&atom));
    case AtomicType::kUuid:
      return json::array{"uuid", std::get_if<Uuid>(&atom)->to_string()};
  }
  return {};
}

}  // namespace

Error datum_too_large() {
  return {"resources exhausted",
          fmt::format("a value would take more than {} bytes", Datum::kMaxBytes), std::nullopt};
}

Result<Datum> ColumnType::datum_from_json(const json::value& json, SymbolTable* symbols,
                                          Sizes sizes) const {
  if (is_map()) {
    const json::array* pairs = tagged_array(json, "map");
    if (!pairs) return syntax_error(&json, "expected [\"map\", <array>]");
    if (sizes == Sizes::kChecked) {
      if (auto error = check_size(*this, pairs->size(), json)) return std::move(*error);
    }
    return read_map(*this, *pairs, symbols);
  }
  if (begins_with_set(json)) {
    const json::array* elements = tagged_array(json, "set");
    if (!elements) return syntax_error(&json, "expected [\"set\", <array>]");
    if (sizes == Sizes::kChecked) {
      if (auto error = check_size(*this, elements->size(), json)) return std::move(*error);
    }
    return read_set(*this, *elements, symbols);
  }
  AtomView atom;
  if (auto error = read_checked(json, key, symbols, atom)) return std::move(*error);
  if (const auto* text = std::get_if<std::string_view>(&atom);
      text != nullptr && text->size() > Datum::kMaxBytes)
    return datum_too_large();
  return Datum::of(atom);
}

void append_datum_json(std::string& out, const DatumView& datum, Reals reals) {
  if (datum.is_map()) {
    out += "[\"map\",[";
    append_list(out, datum, ",", [&](const DatumCursor& at) {
      out += '[';
      append_atom_json(out, at.key(), reals);
      out += ',';
      append_atom_json(out, at.value(), reals);
      out += ']';
    });
    out += "]]";
  } else if (datum.size() == 1) {
    append_atom_json(out, datum.key(0), reals);
  } else {
    out += "[\"set\",[";
    append_list(out, datum, ",",
                [&](const DatumCursor& at) { append_atom_json(out, at.key(), reals); });
    out += "]]";
  }
}

json::value datum_to_json(const DatumView& datum) {
  if (!datum.is_map() && datum.size() == 1) return atom_to_json(datum.key(0));
  json::array elements;
  elements.reserve(datum.size());
  for (DatumCursor at(datum); !at.done(); at.advance()) {
    json::value key = atom_to_json(at.key());
    if (datum.is_map()) {
      elements.push_back(json::array{std::move(key), atom_to_json(at.value())});
    } else {
      elements.push_back(std::move(key));
    }
  }
  json::array value;
  value.emplace_back(datum.is_map() ? "map" : "set");
  value.emplace_back(std::move(elements));
  return value;
}

void append_datum_text(std::string& out, const ColumnType& type, const DatumView& datum) {
  const bool enclosed = type.n_max > 1 || datum.empty();
  if (enclosed) out += datum.is_map() ? '{' : '[';
  append_list(out, datum, ", ", [&](const DatumCursor& at) {
    append_atom_text(out, at.key());
    if (!datum.is_map()) return;
    out += '=';
    append_atom_text(out, at.value());
  });
  if (enclosed) out += datum.is_map() ? '}' : ']';
}

}  // namespace tandem
