#include "protocol/datum_scanner.h"

#include <charconv>

#include "protocol/json/json_reader.h"

namespace tandem {
namespace {

/// A number that is written in the plain way.
template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  return failure == std::errc() && stop == end && !text.empty();
}

}  // namespace

Result<Datum> DatumScanner::read(JsonScanner& scanner, const ColumnType& type,
                                 ColumnType::Sizes sizes) {
  const char* const begin = scanner.position();
  if (Datum datum = read_common(scanner, type, sizes)) return datum;
  scanner.rewind(begin);
  const auto text = scanner.raw_value();
  if (!text) return syntax_error(nullptr, "a value is not complete");
  auto value = parse_json(*text);
  if (!value) return value.error();
  return type.datum_from_json(*value, nullptr, sizes);
}

Datum DatumScanner::read_common(JsonScanner& scanner, const ColumnType& type,
                                ColumnType::Sizes sizes) {
  unescaped_.clear();
  builder_.restart(type.key.type, type.value ? std::optional(type.value->type) : std::nullopt);
  if (!read_elements(scanner, type)) return {};
  const std::size_t n = builder_.size();
  if (sizes == ColumnType::Sizes::kChecked && (n < type.n_min || n > type.n_max)) return {};
  return builder_.build().value_or(Datum());
}

bool DatumScanner::read_elements(JsonScanner& scanner, const ColumnType& type) {
  AtomView key;
  AtomView value;
  if (type.is_map()) {
    if (!scanner.take("[\"map\",") || !scanner.take('[')) return false;
    if (!scanner.sees(']')) {
      do {
        if (!scanner.take('[') || !read_atom(scanner, type.key, key) || !scanner.take(',') ||
            !read_atom(scanner, *type.value, value) || !scanner.take(']')) {
          return false;
        }
        builder_.add(key, value);
      } while (scanner.take(','));
    }
    return scanner.take(']') && scanner.take(']');
  }
  if (!scanner.take("[\"set\",")) {
    if (!read_atom(scanner, type.key, key)) return false;
    builder_.add(key);
    return true;
  }
  if (!scanner.take('[')) return false;
  if (!scanner.sees(']')) {
    do {
      if (!read_atom(scanner, type.key, key)) return false;
      builder_.add(key);
    } while (scanner.take(','));
  }
  return scanner.take(']') && scanner.take(']');
}

bool DatumScanner::read_atom(JsonScanner& scanner, const BaseType& type, AtomView& atom) {
  switch (type.type) {
    case AtomicType::kInteger: {
      std::int64_t integer = 0;
      if (!parse_number(scanner.raw_number(), integer)) return false;
      atom = integer;
      break;
    }
    case AtomicType::kReal: {
      double real = 0;
      if (!parse_number(scanner.raw_number(), real)) return false;
      atom = real;
      break;
    }
    case AtomicType::kBoolean:
      if (scanner.take("true")) {
        atom = true;
      } else if (scanner.take("false")) {
        atom = false;
      } else {
        return false;
      }
      break;
    case AtomicType::kString:
      if (!read_string(scanner, atom)) return false;
      break;
    case AtomicType::kUuid: {
      if (!scanner.take("[\"uuid\",")) return false;
      const auto text = scanner.raw_string();
      const auto uuid = text ? Uuid::parse(*text) : std::nullopt;
      if (!uuid || !scanner.take(']')) return false;
      atom = *uuid;
      break;
    }
  }
  return static_cast<bool>(type.check(atom));
}

bool DatumScanner::read_string(JsonScanner& scanner, AtomView& atom) {
  const auto raw = scanner.raw_string();
  if (!raw) return false;
  if (!scanner.has_escapes()) {
    atom = *raw;
    return true;
  }
  // An unescaped text is no longer than the raw one; where the buffer would move, the slow way
  // helps.
  if (unescaped_.capacity() - unescaped_.size() < raw->size()) {
    if (!unescaped_.empty()) return false;
    unescaped_.reserve(4 * raw->size());
  }
  const std::size_t begin = unescaped_.size();
  if (!append_unescaped(unescaped_, *raw)) return false;
  atom = std::string_view(unescaped_).substr(begin);
  return true;
}

}  // namespace tandem
