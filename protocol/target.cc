#include "protocol/target.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace tandem {

namespace {

constexpr std::uint16_t kDefaultPort = 6640;  // ovsdb(7), "OVSDB Service Models"

Error invalid_target(std::string details) {
  return {"invalid remote", std::move(details), std::nullopt};
}

struct Scheme {
  std::string_view prefix;
  Target::Kind kind;
};
constexpr std::array<Scheme, 7> kSchemes = {{{"tcp:", Target::Kind::kTcp},
                                             {"ssl:", Target::Kind::kSsl},
                                             {"unix:", Target::Kind::kUnix},
                                             {"ptcp:", Target::Kind::kPtcp},
                                             {"pssl:", Target::Kind::kPssl},
                                             {"punix:", Target::Kind::kPunix},
                                             {"pfd:", Target::Kind::kPfd}}};

/// Splits at the colons that are not inside brackets; an IPv6 address loses its brackets.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '[') ++depth;
    if (i < text.size() && text[i] == ']') --depth;
    if (i < text.size() && (text[i] != ':' || depth > 0)) continue;
    std::string_view part = text.substr(begin, i - begin);
    if (part.size() >= 2 && part.front() == '[' && part.back() == ']')
      part = part.substr(1, part.size() - 2);
    parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Reads HOST[:PORT] or, for listeners, [PORT][:HOST].
Result<void> read_address(Target& target, std::string_view text) {
  auto parts = split(text);
  if (parts.size() > 2) return invalid_target(fmt::format("{}: port must be specified", text));
  parts.resize(2);
  if (target.is_passive()) std::swap(parts[0], parts[1]);
  const auto [host, port_text] = std::pair(parts[0], parts[1]);
  if (host.empty() && !target.is_passive())
    return invalid_target(fmt::format("{}: host must be specified", text));
  target.host = host;
  target.port = kDefaultPort;
  if (port_text.empty()) return {};
  const auto port = parse_number<std::uint16_t>(port_text);
  if (!port) return invalid_target(fmt::format("{}: bad port number \"{}\"", text, port_text));
  target.port = *port;
  return {};
}

}  // namespace

Result<Target> Target::parse(std::string_view text) {
  for (const Scheme& scheme : kSchemes) {
    if (!text.starts_with(scheme.prefix)) continue;
    const std::string_view rest = text.substr(scheme.prefix.size());
    Target target;
    target.kind = scheme.kind;
    target.text = text;
    switch (scheme.kind) {
      case Kind::kUnix:
      case Kind::kPunix:
        if (rest.empty()) return invalid_target(fmt::format("{}: no name of a socket", text));
        target.path = rest;
        return target;
      case Kind::kPfd: {
        const auto fd = parse_number<int>(rest);
        if (!fd || *fd < 0) return invalid_target(fmt::format("{}: not a file descriptor", text));
        target.fd = *fd;
        return target;
      }
      case Kind::kTcp:
      case Kind::kSsl:
      case Kind::kPtcp:
      case Kind::kPssl: {
        if (auto read = read_address(target, rest); !read) return std::move(read).error();
        return target;
      }
    }
  }
  return invalid_target(fmt::format("{}: Address family not supported by protocol", text));
}

Result<ColumnPath> ColumnPath::parse(std::string_view text) {
  const auto invalid = [&] {
    return Error{fmt::format("\"{}\": invalid syntax", text), "", std::nullopt};
  };
  if (!text.starts_with("db:")) return invalid();
  const std::string_view rest = text.substr(3);
  const std::size_t first = rest.find(',');
  if (first == std::string_view::npos) return invalid();
  const std::size_t second = rest.find(',', first + 1);
  if (second == std::string_view::npos) return invalid();
  ColumnPath path{std::string(rest.substr(0, first)),
                  std::string(rest.substr(first + 1, second - first - 1)),
                  std::string(rest.substr(second + 1, rest.find(',', second + 1) - second - 1))};
  if (path.database.empty() || path.table.empty() || path.column.empty()) return invalid();
  return path;
}

}  // namespace tandem
