#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "protocol/datum.h"
#include "protocol/error.h"
#include "protocol/symbol_table.h"

namespace tandem {

enum class RefType : std::uint8_t { kStrong, kWeak };

/// RFC 7047 section 3.2 <base-type>: an atomic type and its constraints.
struct BaseType {
  AtomicType type = AtomicType::kInteger;
  Datum allowed;  ///< enum: a set of the type; null when unconstrained
  std::int64_t min_integer = std::numeric_limits<std::int64_t>::min();
  std::int64_t max_integer = std::numeric_limits<std::int64_t>::max();
  double min_real = std::numeric_limits<double>::lowest();
  double max_real = std::numeric_limits<double>::max();
  std::uint32_t min_length = 0;  ///< in characters
  std::uint32_t max_length = std::numeric_limits<std::uint32_t>::max();
  std::string ref_table;  ///< empty: no reference
  RefType ref_type = RefType::kStrong;
  std::uint32_t ref_table_index =
      0;  ///< in DatabaseSchema::tables(), set when the schema is read; valid with ref_table

  static Result<BaseType> from_json(JsonView value);
  void append_json(std::string& out) const;

  bool is_strong_ref() const { return !ref_table.empty() && ref_type == RefType::kStrong; }
  bool is_weak_ref() const { return !ref_table.empty() && ref_type == RefType::kWeak; }

  /// Whether the atom satisfies the constraints; strings must be UTF-8.
  bool allows(const AtomView& atom) const;
  /// "constraint violation" with the texts of ovsdb-server, or success.
  Result<void> check(const AtomView& atom) const;
  bool operator==(const BaseType&) const;
};

/// RFC 7047 section 3.2 <type>.
struct ColumnType {
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

  BaseType key;
  std::optional<BaseType> value;
  std::uint32_t n_min = 1;
  std::uint32_t n_max = 1;

  static Result<ColumnType> from_json(JsonView value);
  void append_json(std::string& out) const;

  bool is_scalar() const { return n_min == 1 && n_max == 1 && !value; }
  bool is_optional() const { return n_min == 0 && n_max == 1; }
  bool is_map() const { return value.has_value(); }
  /// A set or map of which update2 and _is_diff carry differences: everything with n_max > 1.
  bool has_difference() const { return n_max > 1; }

  /// The default value of RFC 7047 section 5.2.1; immortal.
  Datum default_datum() const;

  /// How strictly a datum is read.
  enum class Sizes {
    kChecked,  ///< n_min..n_max
    kAny,      ///< a difference, a condition's argument: any number of elements
  };
  /// Reads RFC 7047 <value>, checks types, constraints and sizes. `symbols` resolves ["named-uuid",
  /// X]; null: not allowed.
  Result<Datum> datum_from_json(JsonView value, SymbolTable* symbols,
                                Sizes sizes = Sizes::kChecked) const;
  /// Constraints of all atoms and the number of elements, for a datum that was computed.
  Result<void> check(const DatumView& datum) const;

  /// "integer", "set of 1 to 2 integers", "map of (string, uuid) pairs", as error messages want it.
  std::string to_english() const;
  bool operator==(const ColumnType&) const;
};

/// The error for a datum of more than Datum::kMaxBytes.
Error datum_too_large();

/// Appends RFC 7047 <value>: a bare atom for a set of exactly one, else ["set",[...]] or
/// ["map",[...]].
void append_datum_json(std::string& out, const DatumView& datum, Reals reals = Reals::kShown);
/// Appends the datum in ovs-vsctl(8) notation, as index errors show it: brackets or braces stand
/// around what may have, or has, another number of elements than one.
void append_datum_text(std::string& out, const ColumnType& type, const DatumView& datum);

/// RFC 7047 <id>: [a-zA-Z_][a-zA-Z0-9_]*.
bool is_id(std::string_view text);

}  // namespace tandem
