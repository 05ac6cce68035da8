#include "protocol/atom.h"

#include <algorithm>

#include "protocol/json/json_output.h"

namespace tandem {

namespace {

/// Whether the notation of ovs-vsctl(8) shows the string without quotes: it looks like a word, and
/// like no other atom.
bool is_bare(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_inner = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), is_inner) &&
         text != "true" && text != "false" && !Uuid::parse(text);
}

template <class T>
std::strong_ordering order(const T& a, const T& b) {
  if (a < b) return std::strong_ordering::less;
  if (b < a) return std::strong_ordering::greater;
  return std::strong_ordering::equal;
}

}  // namespace

std::string_view to_string(AtomicType type) {
  switch (type) {
    case AtomicType::kInteger:
      return "integer";
    case AtomicType::kReal:
      return "real";
    case AtomicType::kBoolean:
      return "boolean";
    case AtomicType::kString:
      return "string";
    case AtomicType::kUuid:
      return "uuid";
  }
  return {};
}

Atom::Atom(const AtomView& view) {
  switch (type_of(view)) {
    case AtomicType::kInteger:
      value_ = *std::get_if<std::int64_t>(&view);
      break;
    case AtomicType::kReal:
      value_ = *std::get_if<double>(&view);
      break;
    case AtomicType::kBoolean:
      value_ = *std::get_if<bool>(&view);
      break;
    case AtomicType::kString:
      value_ = std::string(*std::get_if<std::string_view>(&view));
      break;
    case AtomicType::kUuid:
      value_ = *std::get_if<Uuid>(&view);
      break;
  }
}

AtomView Atom::view() const {
  return std::visit([](const auto& value) { return AtomView(value); }, value_);
}

std::strong_ordering compare(const AtomView& a, const AtomView& b) {
  switch (type_of(a)) {
    case AtomicType::kInteger:
      return *std::get_if<std::int64_t>(&a) <=> *std::get_if<std::int64_t>(&b);
    case AtomicType::kReal:
      return order(*std::get_if<double>(&a), *std::get_if<double>(&b));
    case AtomicType::kBoolean:
      return order(*std::get_if<bool>(&a), *std::get_if<bool>(&b));
    case AtomicType::kString:
      return *std::get_if<std::string_view>(&a) <=> *std::get_if<std::string_view>(&b);
    case AtomicType::kUuid:
      return *std::get_if<Uuid>(&a) <=> *std::get_if<Uuid>(&b);
  }
  return std::strong_ordering::equal;
}

void append_atom_json(std::string& out, const AtomView& atom, Reals reals) {
  switch (type_of(atom)) {
    case AtomicType::kInteger:
      append_json_integer(out, *std::get_if<std::int64_t>(&atom));
      break;
    case AtomicType::kReal:
      if (reals == Reals::kExact) {
        append_exact_json_real(out, *std::get_if<double>(&atom));
      } else {
        append_json_real(out, *std::get_if<double>(&atom));
      }
      break;
    case AtomicType::kBoolean:
      out += *std::get_if<bool>(&atom) ? "true" : "false";
      break;
    case AtomicType::kString:
      append_json_string(out, *std::get_if<std::string_view>(&atom));
      break;
    case AtomicType::kUuid:
      out += "[\"uuid\",\"";
      std::get_if<Uuid>(&atom)->append_to(out);
      out += "\"]";
      break;
  }
}

void append_atom_text(std::string& out, const AtomView& atom) {
  switch (type_of(atom)) {
    case AtomicType::kInteger:
    case AtomicType::kReal:
    case AtomicType::kBoolean:
      append_atom_json(out, atom);
      break;
    case AtomicType::kString: {
      const std::string_view text = *std::get_if<std::string_view>(&atom);
      if (is_bare(text)) {
        out += text;
      } else {
        append_json_string(out, text);
      }
      break;
    }
    case AtomicType::kUuid:
      std::get_if<Uuid>(&atom)->append_to(out);
      break;
  }
}

}  // namespace tandem
