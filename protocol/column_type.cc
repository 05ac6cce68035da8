#include <fmt/core.h>

#include <array>

#include "protocol/datum_cursor.h"
#include "protocol/object_reader.h"
#include "protocol/type.h"

namespace tandem {

namespace {

constexpr std::size_t kAtomicTypes = 5;

std::size_t index_of(AtomicType type) { return static_cast<std::size_t>(type); }

AtomView default_atom(AtomicType type) {
  switch (type) {
    case AtomicType::kInteger:
      return std::int64_t{0};
    case AtomicType::kReal:
      return 0.0;
    case AtomicType::kBoolean:
      return false;
    case AtomicType::kString:
      return std::string_view();
    case AtomicType::kUuid:
      return Uuid();
  }
  return {};
}

/// All default values there are. They depend on nothing but the atomic types and whether the column
/// may be empty.
class Defaults {
 public:
  Defaults() {
    for (std::size_t key = 0; key < kAtomicTypes; ++key) {
      add_both(sets_[key], static_cast<AtomicType>(key), std::nullopt);
      for (std::size_t value = 0; value < kAtomicTypes; ++value) {
        add_both(maps_[key][value], static_cast<AtomicType>(key), static_cast<AtomicType>(value));
      }
    }
  }

  const Datum& get(const ColumnType& type) const {
    const bool may_be_empty = type.n_min == 0;
    return type.value ? maps_[index_of(type.key.type)][index_of(type.value->type)][may_be_empty]
                      : sets_[index_of(type.key.type)][may_be_empty];
  }

 private:
  /// [0]: of one element; [1]: empty.
  using Pair = std::array<Datum, 2>;

  static void add_both(Pair& pair, AtomicType key, std::optional<AtomicType> value) {
    DatumBuilder builder(key, value);
    pair[1] = builder.build_sorted();
    if (value) {
      builder.add(default_atom(key), default_atom(*value));
    } else {
      builder.add(default_atom(key));
    }
    pair[0] = builder.build_sorted();
    for (Datum& datum : pair) datum.make_immortal();
  }

  std::array<Pair, kAtomicTypes> sets_;
  std::array<std::array<Pair, kAtomicTypes>, kAtomicTypes> maps_;
};

/// Reads "min" or "max"; the string "unlimited" is for "max".
Result<void> read_count(JsonView value, std::uint32_t& out) {
  if (!value) return {};
  std::int64_t count = -1;
  if (value.is_string()) {
    if (value.get_string() == "unlimited") count = ColumnType::kUnlimited;
  } else if (as_integer(value, count); count >= ColumnType::kUnlimited) {
    count = -1;
  }
  if (count < 0) return syntax_error(value, "bad min or max value");
  out = static_cast<std::uint32_t>(count);
  return {};
}

}  // namespace

Result<ColumnType> ColumnType::from_json(JsonView value) {
  ColumnType type;
  if (value.is_string()) {
    auto key = BaseType::from_json(value);
    if (!key) return key.error();
    type.key = std::move(*key);
    return type;
  }

  ObjectReader reader(value, "ovsdb type");
  const JsonView key_member = reader.required("key", kJsonString | kJsonObject);
  const JsonView value_member = reader.optional("value", kJsonString | kJsonObject);
  const JsonView min = reader.optional("min", kJsonInteger);
  const JsonView max = reader.optional("max", kJsonInteger | kJsonString);
  if (auto end = reader.finish(); !end) return end.error();

  auto key = BaseType::from_json(key_member);
  if (!key) return key.error();
  type.key = std::move(*key);
  if (value_member) {
    auto base = BaseType::from_json(value_member);
    if (!base) return base.error();
    type.value = std::move(*base);
  }
  if (auto read = read_count(min, type.n_min); !read) return read.error();
  if (auto read = read_count(max, type.n_max); !read) return read.error();
  if (type.n_min > 1 || type.n_max < 1)
    return syntax_error(value, "ovsdb type fails constraint checks");
  return type;
}

void ColumnType::append_json(std::string& out) const {
  const std::size_t begin = out.size();
  out += R"({"key":)";
  const std::size_t key_begin = out.size();
  key.append_json(out);
  if (is_scalar() && out[key_begin] == '"') {
    out.erase(begin, key_begin - begin);
    return;
  }
  if (n_max == kUnlimited) {
    out += R"(,"max":"unlimited")";
  } else if (n_max != 1) {
    out += R"(,"max":)";
    append_json_integer(out, n_max);
  }
  if (n_min != 1) {
    out += R"(,"min":)";
    append_json_integer(out, n_min);
  }
  if (value) {
    out += R"(,"value":)";
    value->append_json(out);
  }
  out += '}';
}

Datum ColumnType::default_datum() const {
  static const Defaults defaults;
  return defaults.get(*this);
}

Result<void> ColumnType::check(const DatumView& datum) const {
  if (datum.size() < n_min || datum.size() > n_max) {
    return constraint_violation(
        fmt::format("Attempted to store {} elements in {}.", datum.size(), to_english()));
  }
  for (DatumCursor at(datum); !at.done(); at.advance()) {
    if (auto checked = key.check(at.key()); !checked) return checked;
    if (!value) continue;
    if (auto checked = value->check(at.value()); !checked) return checked;
  }
  return {};
}

std::string ColumnType::to_english() const {
  const std::string_view key_name = to_string(key.type);
  if (is_scalar()) return std::string(key_name);
  std::string count;
  if (n_max != kUnlimited) {
    count = n_min > 0 ? fmt::format("{} to {} ", n_min, n_max) : fmt::format("up to {} ", n_max);
  } else if (n_min > 0) {
    count = fmt::format("{} or more ", n_min);
  }
  return value ? fmt::format("map of {}({}, {}) pairs", count, key_name, to_string(value->type))
               : fmt::format("set of {}{}s", count, key_name);
}

bool ColumnType::operator==(const ColumnType&) const = default;

bool is_id(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  if (text.empty() || !is_letter(text[0])) return false;
  for (const char c : text) {
    if (!is_letter(c) && !(c >= '0' && c <= '9')) return false;
  }
  return true;
}

}  // namespace tandem
