#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::agent {

/// The two databases, each with a server of its own.
enum class Which : std::uint8_t { kNb, kSb };
inline constexpr std::array<Which, 2> kBoth = {Which::kNb, Which::kSb};

/// A T for each of the two.
template <class T>
struct Pair {
  std::array<T, 2> values{};
  T& operator[](Which which) { return values[static_cast<std::size_t>(which)]; }
  const T& operator[](Which which) const { return values[static_cast<std::size_t>(which)]; }
  bool operator==(const Pair&) const = default;
};

/// "nb" or "sb", as ovn-ctl calls them.
std::string name_of(Which which);
/// "OVN_Northbound" or "OVN_Southbound".
std::string database_of(Which which);
/// The table that refers to the Connection rows.
std::string global_table_of(Which which);

using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name);

/// The parameters of the resource, read and with their defaults. A value.
struct Settings {
  std::string instance = "ovndb_servers";
  std::string master_ip;
  bool listen_on_master_ip_only = true;
  bool manage_northd = false;
  std::int64_t probe_interval_ms = 5000;
  std::int64_t probe_interval_to_active_ms = 60000;
  std::map<std::string, std::string> node_addresses;
  Names server_options;
  std::int64_t control_timeout_ms = 2000;
  std::int64_t copies_wait_ms = 60000;
  bool early_demotion = true;
  bool promote_stale = false;      ///< a copy that was not in sync may be promoted by itself
  std::int64_t role_lease_s = -1;  ///< -1: from the monitor operation; 0: none
  int sync_replicas = 1;
  std::string sync_fallback = "async";
  std::string advertise_role = "none";
  bool tandem = true;  ///< servers are started as ours

  struct Database {
    std::string port;
    std::string protocol = "tcp";
    std::string private_key, certificate, ca_certificate;
    std::string http;  ///< ADDRESS:PORT of status over HTTP
  };
  Pair<Database> databases;

  /// Does one of the further options begin like this?
  bool has_server_option(std::string_view start) const;
  /// Backups follow at the address that Pacemaker moves.
  bool follows_moving_address() const { return listen_on_master_ip_only && node_addresses.empty(); }
  /// Where backups reach the active that runs on `node`; empty: not known.
  std::string address_of_active(const std::string& node) const;
  /// "tcp:ADDRESS:PORT" of that.
  std::string remote_of_active(Which which, const std::string& node) const;
  /// At which address clients are served: IPv6 in brackets.
  std::string listening_address() const;
  /// The same as the target of the Connection row.
  std::string connection_target(Which which) const;
  /// The remote that stands for the Connection rows.
  std::string connections_remote(Which which) const;
};

}  // namespace tandem::agent
