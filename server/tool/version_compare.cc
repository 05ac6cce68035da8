#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>

#include "server/tool/command.h"

namespace tandem::tool {
namespace {

/// A schema version x.y.z, ovsdb(7).
using Version = std::array<std::uint64_t, 3>;

Result<Version> parse_version(const std::string& text) {
  const Error bad = user_error(text + ": not an OVSDB version number in format x.y.z");
  Version version{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < version.size(); i++) {
    if (i > 0 && (at == end || *at++ != '.')) return bad;
    const auto [stop, failure] = std::from_chars(at, end, version[i]);
    if (failure != std::errc()) return bad;
    at = stop;
  }
  if (at != end) return bad;
  return version;
}

/// Nothing if `op` is no relational operator.
std::optional<bool> holds(std::strong_ordering order, std::string_view op) {
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == "==") return order == 0;
  if (op == ">=") return order >= 0;
  if (op == ">") return order > 0;
  if (op == "!=") return order != 0;
  return std::nullopt;
}

}  // namespace

Result<int> compare_versions(const Environment& environment) {
  const std::vector<std::string>& arguments = environment.invocation.arguments;
  const auto a = parse_version(arguments[0]);
  if (!a) return a.error();
  const auto b = parse_version(arguments[2]);
  if (!b) return b.error();
  const std::optional<bool> answer = holds(*a <=> *b, arguments[1]);
  if (!answer) return user_error(arguments[1] + ": not a relational operator");
  return *answer ? kDone : kNo;
}

}  // namespace tandem::tool
