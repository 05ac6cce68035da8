// Datums as RFC 7047 <value>, in and out, and as people read them.
//
// Whole databases pass through here, so atoms are read without a Result each: one that does not fit
// is looked at again to name its error.

#include <fmt/core.h>

#include "protocol/datum_cursor.h"
#include "protocol/type.h"

namespace tandem {

namespace {

/// The X of [tag, X].
JsonView tagged(JsonView value, std::string_view tag) {
  if (!value.is_array() || value.size() != 2) return nullptr;
  const JsonView first = value.front();
  return first.is_string() && first.get_string() == tag ? value[1] : nullptr;
}

/// The elements of [tag, [...]].
JsonView tagged_array(JsonView value, std::string_view tag) {
  const JsonView elements = tagged(value, tag);
  return elements && elements.is_array() ? elements : nullptr;
}

bool begins_with_set(JsonView value) {
  if (!value.is_array() || value.empty()) return false;
  const JsonView first = value.front();
  return first.is_string() && first.get_string() == "set";
}

bool read_uuid(JsonView value, SymbolTable* symbols, AtomView& out) {
  if (const JsonView text = tagged(value, "uuid"); text && text.is_string()) {
    const auto uuid = Uuid::parse(text.get_string());
    if (uuid) out = *uuid;
    return uuid.has_value();
  }
  if (!symbols) return false;
  const JsonView name = tagged(value, "named-uuid");
  if (!name || !name.is_string() || !is_id(name.get_string())) return false;
  out = symbols->get(name.get_string()).uuid;
  return true;
}

/// Reads an atom of the type without regard to its constraints.
bool read_atom(JsonView value, AtomicType type, SymbolTable* symbols, AtomView& out) {
  switch (type) {
    case AtomicType::kInteger: {
      std::int64_t integer = 0;
      if (!as_integer(value, integer)) return false;
      out = integer;
      return true;
    }
    case AtomicType::kReal:
      if (!value.is_number()) return false;
      out = as_real(value);
      return true;
    case AtomicType::kBoolean:
      if (!value.is_bool()) return false;
      out = value.get_bool();
      return true;
    case AtomicType::kString:
      if (!value.is_string()) return false;
      out = value.get_string();
      return true;
    case AtomicType::kUuid:
      return read_uuid(value, symbols, out);
  }
  return false;
}

/// Why read_atom() said no.
Error atom_error(JsonView value, AtomicType type, SymbolTable* symbols) {
  if (type != AtomicType::kUuid)
    return syntax_error(value, fmt::format("expected {}", to_string(type)));
  if (const JsonView text = tagged(value, "uuid"); text && text.is_string())
    return syntax_error(value, fmt::format("\"{}\" is not a valid UUID", text.get_string()));
  if (const JsonView name = tagged(value, "named-uuid"); symbols && name && name.is_string()) {
    return syntax_error(value, "named-uuid string is not a valid <id>");
  }
  return syntax_error(value, "expected [\"uuid\", <string>]");
}

/// Reads an atom and checks its constraints.
std::optional<Error> read_checked(JsonView value, const BaseType& base, SymbolTable* symbols,
                                  AtomView& out) {
  if (!read_atom(value, base.type, symbols, out)) return atom_error(value, base.type, symbols);
  if (!base.allows(out)) return base.check(out).error();
  return std::nullopt;
}

std::optional<Error> check_size(const ColumnType& type, std::size_t size, JsonView value) {
  if (size >= type.n_min && size <= type.n_max) return std::nullopt;
  const char* const kind = type.is_map() ? "map" : "set";
  if (type.n_min == 1 && type.n_max == 1) {
    return syntax_error(
        value, fmt::format("{} must have exactly one member but {} are present", kind, size));
  }
  return syntax_error(value, fmt::format("{} must have {} to {} members but {} are present", kind,
                                         type.n_min, type.n_max, size));
}

Result<Datum> read_set(const ColumnType& type, JsonView elements, SymbolTable* symbols) {
  thread_local DatumBuilder builder(AtomicType::kInteger);
  builder.restart(type.key.type);
  builder.reserve(elements.size());
  for (const JsonView element : elements.elements()) {
    AtomView atom;
    if (auto error = read_checked(element, type.key, symbols, atom)) return std::move(*error);
    builder.add(atom);
  }
  if (auto datum = builder.build()) return std::move(*datum);
  if (builder.is_too_large()) return datum_too_large();
  return Error{"ovsdb error", "set contains duplicate", std::nullopt};
}

Result<Datum> read_map(const ColumnType& type, JsonView pairs, SymbolTable* symbols) {
  thread_local DatumBuilder builder(AtomicType::kInteger);
  builder.restart(type.key.type, type.value->type);
  builder.reserve(pairs.size());
  for (const JsonView pair : pairs.elements()) {
    if (!pair.is_array() || pair.size() != 2) return syntax_error(pair, "expected 2-element array");
    AtomView key;
    AtomView value;
    if (auto error = read_checked(pair[0], type.key, symbols, key)) return std::move(*error);
    if (auto error = read_checked(pair[1], *type.value, symbols, value)) return std::move(*error);
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

}  // namespace

Error datum_too_large() {
  return {"resources exhausted",
          fmt::format("a value would take more than {} bytes", Datum::kMaxBytes), std::nullopt};
}

Result<Datum> ColumnType::datum_from_json(JsonView json, SymbolTable* symbols, Sizes sizes) const {
  if (is_map()) {
    const JsonView pairs = tagged_array(json, "map");
    if (!pairs) return syntax_error(json, "expected [\"map\", <array>]");
    if (sizes == Sizes::kChecked) {
      if (auto error = check_size(*this, pairs.size(), json)) return std::move(*error);
    }
    return read_map(*this, pairs, symbols);
  }
  if (begins_with_set(json)) {
    const JsonView elements = tagged_array(json, "set");
    if (!elements) return syntax_error(json, "expected [\"set\", <array>]");
    if (sizes == Sizes::kChecked) {
      if (auto error = check_size(*this, elements.size(), json)) return std::move(*error);
    }
    return read_set(*this, elements, symbols);
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
