#include "ocf/agent/decision/settings.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem::agent {

namespace {

/// An address of nobody (RFC 5737), for a backup that does not know its active.
constexpr std::string_view kNowhere = "192.0.2.254";

/// An address as it is written in a remote: IPv6 in brackets.
std::string bracketed(const std::string& address) {
  if (address.starts_with('[') || address.find(':') == std::string::npos) return address;
  return "[" + address + "]";
}

}  // namespace

std::string name_of(Which which) { return which == Which::kNb ? "nb" : "sb"; }

std::string database_of(Which which) {
  return which == Which::kNb ? "OVN_Northbound" : "OVN_Southbound";
}

std::string global_table_of(Which which) { return which == Which::kNb ? "NB_Global" : "SB_Global"; }

bool contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool Settings::has_server_option(std::string_view start) const {
  return std::any_of(server_options.begin(), server_options.end(),
                     [&](const std::string& option) { return option.starts_with(start); });
}

std::string Settings::address_of_active(const std::string& node) const {
  if (node.empty()) return std::string(kNowhere);
  const auto found = node_addresses.find(node);
  if (found != node_addresses.end()) return bracketed(found->second);
  return master_ip.empty() ? std::string(kNowhere) : bracketed(master_ip);
}

std::string Settings::remote_of_active(Which which, const std::string& node) const {
  const Database& database = databases[which];
  return fmt::format("{}:{}:{}", database.protocol, address_of_active(node), database.port);
}

std::string Settings::listening_address() const {
  if (listen_on_master_ip_only) return bracketed(master_ip);
  return master_ip.find(':') == std::string::npos ? "0.0.0.0" : "[::]";
}

std::string Settings::connection_target(Which which) const {
  return fmt::format("p{}:{}:{}", databases[which].protocol, databases[which].port,
                     listening_address());
}

std::string Settings::connections_remote(Which which) const {
  return fmt::format("db:{},{},connections", database_of(which), global_table_of(which));
}

}  // namespace tandem::agent
