#include <fmt/core.h>

#include <array>

#include "protocol/json/member_writer.h"
#include "protocol/object_reader.h"
#include "protocol/type.h"
#include "protocol/utf8.h"

namespace tandem {

namespace {

std::optional<AtomicType> atomic_type_from(std::string_view name) {
  for (const auto type : {AtomicType::kInteger, AtomicType::kReal, AtomicType::kBoolean,
                          AtomicType::kString, AtomicType::kUuid}) {
    if (name == to_string(type)) return type;
  }
  return std::nullopt;
}

Result<AtomicType> read_atomic_type(JsonView value) {
  if (const auto type = atomic_type_from(value.get_string())) return *type;
  return syntax_error(value, to_text(value) + " is not an atomic-type");
}

/// Reads minLength or maxLength.
Result<void> read_length(JsonView value, std::string_view name, std::uint32_t& out) {
  if (!value) return {};
  std::int64_t length = 0;
  as_integer(value, length);
  if (length < 0 || length > std::numeric_limits<std::uint32_t>::max()) {
    return syntax_error(value, fmt::format("{} out of valid range 0 to 4294967295", name));
  }
  out = static_cast<std::uint32_t>(length);
  return {};
}

std::string real_text(double value) {
  std::string text;
  append_json_real(text, value);
  return text;
}

/// How a number violates its range; both bounds are texts, empty when there is none.
Error range_violation(const std::string& value, bool too_small, const std::string& min,
                      const std::string& max) {
  if (!min.empty() && !max.empty()) {
    return constraint_violation(
        fmt::format("{} is not in the valid range {} to {} (inclusive)", value, min, max));
  }
  return constraint_violation(
      too_small ? fmt::format("{} is less than minimum allowed value {}", value, min)
                : fmt::format("{} is greater than maximum allowed value {}", value, max));
}

std::string min_text(const BaseType& base) {
  if (base.type == AtomicType::kInteger) {
    return base.min_integer == BaseType().min_integer ? "" : std::to_string(base.min_integer);
  }
  return base.min_real == BaseType().min_real ? "" : real_text(base.min_real);
}

std::string max_text(const BaseType& base) {
  if (base.type == AtomicType::kInteger) {
    return base.max_integer == BaseType().max_integer ? "" : std::to_string(base.max_integer);
  }
  return base.max_real == BaseType().max_real ? "" : real_text(base.max_real);
}

Result<void> check_string(const BaseType& base, std::string_view text) {
  const Utf8Scan scan = scan_utf8(text);
  if (!scan.fault.empty()) {
    std::string details = "not a valid UTF-8 string: invalid UTF-8 sequence";
    for (const char c : scan.fault)
      details += fmt::format(" 0x{:02x}", static_cast<unsigned char>(c));
    if (scan.truncated) details += " 0x00";
    return constraint_violation(std::move(details));
  }
  if (scan.characters < base.min_length) {
    return constraint_violation(
        fmt::format("\"{}\" length {} is less than minimum allowed length {}", text,
                    scan.characters, base.min_length));
  }
  if (scan.characters > base.max_length) {
    return constraint_violation(
        fmt::format("\"{}\" length {} is greater than maximum allowed length {}", text,
                    scan.characters, base.max_length));
  }
  return {};
}

Result<void> read_integers(ObjectReader& reader, JsonView value, BaseType& base) {
  if (const JsonView min = reader.optional("minInteger", kJsonInteger))
    as_integer(min, base.min_integer);
  if (const JsonView max = reader.optional("maxInteger", kJsonInteger))
    as_integer(max, base.max_integer);
  if (base.min_integer > base.max_integer)
    return syntax_error(value, "minInteger exceeds maxInteger");
  return {};
}

Result<void> read_reals(ObjectReader& reader, JsonView value, BaseType& base) {
  if (const JsonView min = reader.optional("minReal", kJsonNumber)) base.min_real = as_real(min);
  if (const JsonView max = reader.optional("maxReal", kJsonNumber)) base.max_real = as_real(max);
  if (base.min_real > base.max_real) return syntax_error(value, "minReal exceeds maxReal");
  return {};
}

Result<void> read_lengths(ObjectReader& reader, JsonView value, BaseType& base) {
  if (auto read =
          read_length(reader.optional("minLength", kJsonInteger), "minLength", base.min_length);
      !read)
    return read;
  if (auto read =
          read_length(reader.optional("maxLength", kJsonInteger), "maxLength", base.max_length);
      !read)
    return read;
  if (base.min_length > base.max_length) return syntax_error(value, "minLength exceeds maxLength");
  return {};
}

Result<void> read_reference(ObjectReader& reader, JsonView value, BaseType& base) {
  const JsonView table = reader.optional("refTable", kJsonId);
  if (!table) return {};
  base.ref_table = table.get_string();
  const JsonView kind = reader.optional("refType", kJsonString);
  if (!kind || kind.get_string() == "strong") return {};
  if (kind.get_string() != "weak")
    return syntax_error(value,
                        "refType must be \"strong\" or \"weak\" (not " + to_text(kind) + ")");
  base.ref_type = RefType::kWeak;
  return {};
}

/// The members that limit the values of a type, other than "enum".
Result<void> read_constraints(ObjectReader& reader, JsonView value, BaseType& base) {
  switch (base.type) {
    case AtomicType::kInteger:
      return read_integers(reader, value, base);
    case AtomicType::kReal:
      return read_reals(reader, value, base);
    case AtomicType::kString:
      return read_lengths(reader, value, base);
    case AtomicType::kUuid:
      return read_reference(reader, value, base);
    case AtomicType::kBoolean:
      break;
  }
  return {};
}

}  // namespace

Result<BaseType> BaseType::from_json(JsonView value) {
  BaseType base;
  if (value.is_string()) {
    const auto type = read_atomic_type(value);
    if (!type) return type.error();
    base.type = *type;
    return base;
  }

  ObjectReader reader(value, "ovsdb type");
  const JsonView type_member = reader.required("type", kJsonString);
  if (!type_member) return reader.finish().error();
  const auto type = read_atomic_type(type_member);
  if (!type) return type.error();
  base.type = *type;

  if (const JsonView allowed = reader.optional("enum", kJsonAny)) {
    ColumnType set_type;
    set_type.key.type = base.type;
    set_type.n_max = ColumnType::kUnlimited;
    auto datum = set_type.datum_from_json(allowed, nullptr);
    if (!datum) return datum.error();
    base.allowed = std::move(*datum);
  } else if (auto read = read_constraints(reader, value, base); !read) {
    return read.error();
  }
  if (auto end = reader.finish(); !end) return end.error();
  return base;
}

void BaseType::append_json(std::string& out) const {
  const BaseType plain;
  const std::size_t begin = out.size();
  out += '{';
  MemberWriter members(out);
  if (allowed) append_datum_json(members.name("enum"), allowed.view());
  if (max_integer != plain.max_integer) members.integer("maxInteger", max_integer);
  if (max_length != plain.max_length) members.integer("maxLength", max_length);
  if (max_real != plain.max_real) append_json_real(members.name("maxReal"), max_real);
  if (min_integer != plain.min_integer) members.integer("minInteger", min_integer);
  if (min_length != plain.min_length) members.integer("minLength", min_length);
  if (min_real != plain.min_real) append_json_real(members.name("minReal"), min_real);
  if (!ref_table.empty()) {
    members.string("refTable", ref_table);
    if (ref_type == RefType::kWeak) members.string("refType", "weak");
  }
  const bool is_plain = out.size() == begin + 1;
  if (is_plain) {
    out.resize(begin);
    append_json_string(out, to_string(type));
  } else {
    members.string("type", to_string(type));
    out += '}';
  }
}

bool BaseType::allows(const AtomView& atom) const {
  if (allowed && !allowed.view().find(atom)) return false;
  switch (type) {
    case AtomicType::kInteger: {
      const auto value = *std::get_if<std::int64_t>(&atom);
      return value >= min_integer && value <= max_integer;
    }
    case AtomicType::kReal: {
      const auto value = *std::get_if<double>(&atom);
      return value >= min_real && value <= max_real;
    }
    case AtomicType::kString: {
      const Utf8Scan scan = scan_utf8(*std::get_if<std::string_view>(&atom));
      return scan.fault.empty() && scan.characters >= min_length && scan.characters <= max_length;
    }
    case AtomicType::kBoolean:
    case AtomicType::kUuid:
      return true;
  }
  return true;
}

Result<void> BaseType::check(const AtomView& atom) const {
  if (allows(atom)) return {};
  std::string text;
  append_atom_text(text, atom);
  if (type == AtomicType::kString) {
    if (auto checked = check_string(*this, *std::get_if<std::string_view>(&atom)); !checked)
      return checked;
  }
  if (allowed) {
    text += " is not one of the allowed values ([";
    for (std::size_t i = 0; i < allowed.size(); ++i) {
      if (i > 0) text += ", ";
      append_atom_text(text, allowed.view().key(i));
    }
    return constraint_violation(text + "])");
  }
  const auto* integer = std::get_if<std::int64_t>(&atom);
  const bool too_small = integer ? *integer < min_integer : *std::get_if<double>(&atom) < min_real;
  return range_violation(text, too_small, min_text(*this), max_text(*this));
}

bool BaseType::operator==(const BaseType& other) const {
  const bool same_enum =
      allowed && other.allowed ? allowed == other.allowed : !allowed && !other.allowed;
  return same_enum && type == other.type && min_integer == other.min_integer &&
         max_integer == other.max_integer && min_real == other.min_real &&
         max_real == other.max_real && min_length == other.min_length &&
         max_length == other.max_length && ref_table == other.ref_table &&
         ref_type == other.ref_type;
}

}  // namespace tandem
