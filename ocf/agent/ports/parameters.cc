#include "ocf/agent/ports/parameters.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include "ocf/agent/decision/boolean.h"

namespace tandem::agent {

namespace {

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_ip(int family, std::string_view text) {
  in6_addr address{};
  return ::inet_pton(family, std::string(text).c_str(), &address) == 1;
}

bool is_ip_address(std::string_view text) {
  if (is_ip(AF_INET, text)) return true;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return is_ip(AF_INET6, text.substr(0, text.find('%')));  // behind that, the scope (RFC 4007)
}

/// Of letters, digits, hyphens and dots (RFC 1123); of digits and dots alone it would be a wrong
/// IPv4 address.
bool is_host_name(std::string_view text) {
  const auto is_part = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  const auto is_letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return std::all_of(text.begin(), text.end(), is_part) &&
         std::any_of(text.begin(), text.end(), is_letter);
}

}  // namespace

std::string variable(const std::string& name, const std::string& otherwise) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? value : otherwise;
}

bool is_address(std::string_view text) { return is_ip_address(text) || is_host_name(text); }

bool is_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const auto port = to_number(text.substr(colon + 1));
  const std::string_view host = text.substr(0, colon);
  const bool is_known = host.empty() || host == "localhost" || is_ip_address(host);
  return is_known && port && *port >= 1 && *port <= 65535;
}

std::string Parameters::text(const std::string& name, const std::string& otherwise) {
  return variable("OCF_RESKEY_" + name, otherwise);
}

bool Parameters::flag(const std::string& name, bool otherwise) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  const std::optional<bool> flag = parse_boolean(value);
  if (!flag) refuse(fmt::format("{} is neither yes nor no: {}", name, value));
  return flag.value_or(otherwise);
}

std::int64_t Parameters::number(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) {
  const std::string value = text(name);
  if (value.empty()) return otherwise;
  const std::optional<std::int64_t> number = to_number(value);
  if (number && *number >= least && *number <= most) return *number;
  refuse(fmt::format("{} is no whole number of {} to {}: {}", name, least, most, value));
  return otherwise;
}

std::string Parameters::word(const std::string& name, const std::string& otherwise,
                             const std::vector<std::string>& words) {
  const std::string value = text(name, otherwise);
  if (std::find(words.begin(), words.end(), value) != words.end()) return value;
  refuse(fmt::format("{} is none of {}: {}", name, fmt::join(words, ", "), value));
  return otherwise;
}

std::string Parameters::address(const std::string& name) {
  const std::string value = text(name);
  if (!value.empty() && !is_address(value))
    refuse(fmt::format("{} is no address: {}", name, value));
  return value;
}

}  // namespace tandem::agent
