#include "ocf/agent/ports/environment.h"

#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

#include "ocf/agent/ports/tool_run.h"

namespace tandem::agent {

namespace {

constexpr std::int64_t kNameMs = 2'000;
constexpr int kPollMs = 20;

std::string variable(const std::string& name, const std::string& otherwise = "") {
  const char* value = std::getenv(name.c_str());
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string parameter(const std::string& name, const std::string& otherwise = "") {
  return variable("OCF_RESKEY_" + name, otherwise);
}

std::string meta(const std::string& name, const std::string& otherwise = "") {
  return parameter("CRM_meta_" + name, otherwise);
}

std::int64_t number(const std::string& text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Names words(const std::string& text) {
  std::istringstream stream(text);
  Names names;
  for (std::string word; stream >> word;) names.push_back(word);
  return names;
}

Names nodes(const std::string& list) { return words(meta("notify_" + list + "_uname")); }

/// As ocf_is_true has it.
bool is_true(const std::string& text) {
  for (const char* yes : {"yes", "true", "1", "YES", "TRUE", "ja", "on", "ON"}) {
    if (text == yes) return true;
  }
  return false;
}

bool is_program(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

/// The first of these that is a program, or the first of all.
std::string first_program(const Names& paths) {
  for (const std::string& path : paths) {
    if (is_program(path)) return path;
  }
  return paths.front();
}

std::optional<Order::Action> action_of(const std::string& name) {
  static const std::map<std::string, Order::Action> kActions = {
      {"start", Order::Action::kStart},         {"stop", Order::Action::kStop},
      {"promote", Order::Action::kPromote},     {"demote", Order::Action::kDemote},
      {"monitor", Order::Action::kMonitor},     {"status", Order::Action::kMonitor},
      {"notify", Order::Action::kNotify},       {"reload", Order::Action::kReload},
      {"reload-agent", Order::Action::kReload}, {"keep", Order::Action::kKeep},
  };
  const auto found = kActions.find(name);
  if (found == kActions.end()) return std::nullopt;
  return found->second;
}

/// A file for TLS: the parameter, else the stock agent's default, if that is there and TLS is used.
std::string tls_file(const std::string& name, const std::string& protocol,
                     const std::string& otherwise) {
  const std::string given = parameter(name);
  if (!given.empty() || protocol != "ssl") return given;
  const std::string path = variable("TANDEM_AGENT_TLS", "/etc/openvswitch") + "/" + otherwise;
  return ::access(path.c_str(), R_OK) == 0 ? path : "";
}

Settings::Database read_database(Which which) {
  const std::string name = name_of(which);
  Settings::Database database;
  database.port = parameter(name + "_master_port", which == Which::kNb ? "6641" : "6642");
  database.protocol = parameter(name + "_master_protocol", "tcp");
  const auto file = [&](const char* ending, const std::string& otherwise) {
    return tls_file(fmt::format("ovn_{}_db_{}", name, ending), database.protocol, otherwise);
  };
  database.private_key = file("privkey", fmt::format("ovn{}-privkey.pem", name));
  database.certificate = file("cert", fmt::format("ovn{}-cert.pem", name));
  database.ca_certificate = file("cacert", "cacert.pem");
  database.http = parameter(name + "_http");
  return database;
}

Settings read_settings() {
  Settings settings;
  settings.instance = variable("OCF_RESOURCE_INSTANCE", "default");
  settings.instance.resize(std::min(settings.instance.find(':'), settings.instance.size()));
  settings.master_ip = parameter("master_ip");
  settings.listen_on_master_ip_only = is_true(parameter("listen_on_master_ip_only", "yes"));
  settings.manage_northd = is_true(parameter("manage_northd"));
  settings.probe_interval_ms = number(parameter("inactive_probe_interval"), 5000);
  settings.probe_interval_to_active_ms =
      number(parameter("inactive_probe_interval_to_master"), 60000);
  for (const std::string& pair : words(parameter("node_addresses"))) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos)
      settings.node_addresses[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  settings.server_options = words(parameter("server_options"));
  settings.control_timeout_ms = number(parameter("control_timeout"), 2) * 1000;
  settings.copies_wait_ms = number(parameter("copies_wait"), 60) * 1000;
  settings.early_demotion = is_true(parameter("early_demotion", "yes"));
  settings.promote_stale = is_true(parameter("promote_stale"));
  settings.role_lease_s = number(parameter("role_lease"), -1);
  settings.sync_replicas = static_cast<int>(number(parameter("sync_replicas"), 1));
  settings.sync_fallback = parameter("sync_fallback", "async");
  settings.advertise_role = parameter("advertise_role", "none");
  for (const Which which : kBoth) settings.databases[which] = read_database(which);
  return settings;
}

/// Servers are ours if they stand in an install's folder, beside tandem-agent, or on PATH. A folder
/// may hold a stock server, too.
void find_servers(Settings& settings, Places& places) {
  const std::string folder = parameter("tandem_dir");
  const std::string server =
      first_program(folder.empty() ? Names{"/usr/lib/tandem/ovs/ovsdb-server",
                                           "/usr/local/lib/tandem/ovs/ovsdb-server"}
                                   : Names{folder + "/ovsdb-server"});
  if (is_program(server)) {
    places.server_directory = server.substr(0, server.rfind('/'));
    settings.tandem = is_program(places.server_directory + "/tandem-agent");
    return;
  }
  settings.tandem = false;
  std::istringstream path(variable("PATH"));
  for (std::string entry; std::getline(path, entry, ':');) {
    if (!is_program(entry + "/ovsdb-server")) continue;
    std::error_code problem;
    const auto target = std::filesystem::canonical(entry + "/ovsdb-server", problem);
    settings.tandem = target.filename() == "tandem-server";
    return;
  }
}

/// By hand, Pacemaker's tool knows the name; that of the host may be another one. Empty: unknown.
std::string node_name() {
  std::string name = meta("on_node");
  if (!name.empty()) return name;
  ToolRun tool({{"crm_node", "-n"}, {}, {}, false}, [&name](const ToolEnd& end) {
    if (end.status == 0) name = end.output.substr(0, end.output.find('\n'));
    return Answer{};
  });
  const std::int64_t end_ms = since_boot_ms() + kNameMs;
  while (!tool.go_on() && since_boot_ms() < end_ms) {
    std::vector<pollfd> polled;
    tool.add_to(polled);
    ::poll(polled.data(), polled.size(), kPollMs);
  }
  return name;
}

}  // namespace

std::optional<Environment> read_environment(const std::string& action) {
  const auto known = action_of(action);
  if (!known) return std::nullopt;
  Environment environment;
  Order& order = environment.order;
  order.action = *known;
  order.node = node_name();
  // In a bundle with container-attribute-target=host Pacemaker looks for scores with the host; its
  // tools would not always write them there by themselves.
  order.attributes_host = order.node;
  if (meta("container_attribute_target") == "host")
    order.attributes_host = meta("physical_host", order.node);
  order.timeout_ms = std::max<std::int64_t>(number(meta("timeout"), 20000), 1000);
  order.interval_ms = number(meta("interval"), 0);
  const std::string role = meta("role");
  order.promoted = role == "Promoted" || role == "Master";
  order.before = meta("notify_type") == "pre";
  order.operation = meta("notify_operation");
  order.starting = nodes("start");
  order.stopping = nodes("stop");
  order.promoting = nodes("promote");
  order.demoting = nodes("demote");
  order.promoted_nodes = nodes("promoted");
  if (order.promoted_nodes.empty()) order.promoted_nodes = nodes("master");
  order.unpromoted_nodes = nodes("unpromoted");
  if (order.unpromoted_nodes.empty()) order.unpromoted_nodes = nodes("slave");
  order.settings = read_settings();
  Places& places = environment.places;
  const std::string ovn_ctl = parameter("ovn_ctl");
  places.ovn_ctl = ovn_ctl.empty() ? first_program({"/usr/share/ovn/scripts/ovn-ctl",
                                                    "/usr/share/openvswitch/scripts/ovn-ctl"})
                                   : ovn_ctl;
  const bool old = places.ovn_ctl.find("/openvswitch/") != std::string::npos;
  places.run_directory = variable("OVN_RUNDIR", old ? "/var/run/openvswitch" : "/var/run/ovn");
  places.state =
      variable("HA_RSCTMP", "/run/resource-agents") + "/ovndb-" + order.settings.instance;
  find_servers(order.settings, places);
  return environment;
}

}  // namespace tandem::agent
