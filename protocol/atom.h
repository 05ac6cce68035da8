#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/json/json_output.h"
#include "protocol/uuid.h"

namespace tandem {

/// RFC 7047 section 3.1 <atomic-type>.
enum class AtomicType : std::uint8_t { kInteger, kReal, kBoolean, kString, kUuid };

/// "integer", "real", "boolean", "string", "uuid".
std::string_view to_string(AtomicType type);

/// One atom, strings borrowed. The alternatives stand in the order of AtomicType.
using AtomView = std::variant<std::int64_t, double, bool, std::string_view, Uuid>;

/// One atom that owns its string.
class Atom {
 public:
  Atom() = default;
  explicit Atom(std::int64_t v) : value_(v) {}
  explicit Atom(double v) : value_(v) {}
  explicit Atom(bool v) : value_(v) {}
  explicit Atom(std::string v) : value_(std::move(v)) {}
  explicit Atom(Uuid v) : value_(v) {}
  explicit Atom(const AtomView& view);

  AtomicType type() const { return static_cast<AtomicType>(value_.index()); }
  AtomView view() const;

 private:
  std::variant<std::int64_t, double, bool, std::string, Uuid> value_;
};

inline AtomicType type_of(const AtomView& atom) { return static_cast<AtomicType>(atom.index()); }

/// Total order within one type: numbers by value, false before true, strings by byte, UUIDs as
/// text. Requires equal types.
std::strong_ordering compare(const AtomView& a, const AtomView& b);

/// Appends the atom as RFC 7047 <atom> JSON: UUIDs as ["uuid","..."].
void append_atom_json(std::string& out, const AtomView& atom, Reals reals = Reals::kShown);

/// The atom in the ovs-vsctl(8) notation that error messages use: strings that are not plain words
/// are quoted.
void append_atom_text(std::string& out, const AtomView& atom);

}  // namespace tandem
