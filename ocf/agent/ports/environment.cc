#include "ocf/agent/ports/environment.h"

#include <fmt/core.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <map>
#include <sstream>

#include "ocf/agent/decision/boolean.h"
#include "ocf/agent/ports/tool_run.h"

namespace tandem::agent {

namespace {

constexpr std::int64_t kNameMs = 2'000;
constexpr int kPollMs = 20;

std::string meta(const std::string& name, const std::string& otherwise = "") {
  return Parameters::text("CRM_meta_" + name, otherwise);
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
std::string tls_file(Parameters& parameters, const std::string& name, const std::string& protocol,
                     const std::string& otherwise) {
  const std::string given = Parameters::text(name);
  if (!given.empty() && ::access(given.c_str(), R_OK) != 0)
    parameters.refuse({Refusal::Kind::kNotInstalled, given + " cannot be read"});
  if (!given.empty() || protocol != "ssl") return given;
  const std::string path = variable("TANDEM_AGENT_TLS", "/etc/openvswitch") + "/" + otherwise;
  return ::access(path.c_str(), R_OK) == 0 ? path : "";
}

Settings::Database read_database(Parameters& parameters, Which which) {
  const std::string name = name_of(which);
  Settings::Database database;
  database.port = std::to_string(
      parameters.number(name + "_master_port", which == Which::kNb ? 6641 : 6642, 1, 65535));
  database.protocol = parameters.word(name + "_master_protocol", "tcp", {"tcp", "ssl"});
  const auto file = [&](const char* ending, const std::string& otherwise) {
    return tls_file(parameters, fmt::format("ovn_{}_db_{}", name, ending), database.protocol,
                    otherwise);
  };
  database.private_key = file("privkey", fmt::format("ovn{}-privkey.pem", name));
  database.certificate = file("cert", fmt::format("ovn{}-cert.pem", name));
  database.ca_certificate = file("cacert", "cacert.pem");
  database.http = Parameters::text(name + "_http");
  if (!database.http.empty() && !is_endpoint(database.http))
    parameters.refuse(fmt::format("{}_http is no ADDRESS:PORT: {}", name, database.http));
  return database;
}

std::map<std::string, std::string> read_node_addresses(Parameters& parameters) {
  std::map<std::string, std::string> addresses;
  for (const std::string& pair : words(Parameters::text("node_addresses"))) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string address = pair.substr(std::min(equals + 1, pair.size()));
    if (equals > 0 && is_address(address)) {
      addresses[pair.substr(0, equals)] = address;
    } else {
      parameters.refuse(fmt::format("node_addresses has what is no NODE=ADDRESS: {}", pair));
    }
  }
  return addresses;
}

Settings read_settings(Parameters& parameters) {
  constexpr std::int64_t kDayMs = 86'400'000;
  Settings settings;
  settings.instance = variable("OCF_RESOURCE_INSTANCE", "default");
  settings.instance.resize(std::min(settings.instance.find(':'), settings.instance.size()));
  settings.master_ip = parameters.address("master_ip");
  if (settings.master_ip.empty()) parameters.refuse("master_ip is not set");
  settings.listen_on_master_ip_only = parameters.flag("listen_on_master_ip_only", true);
  settings.manage_northd = parameters.flag("manage_northd", false);
  settings.probe_interval_ms = parameters.number("inactive_probe_interval", 5000, 0, kDayMs);
  settings.probe_interval_to_active_ms =
      parameters.number("inactive_probe_interval_to_master", 60000, 0, kDayMs);
  settings.node_addresses = read_node_addresses(parameters);
  settings.server_options = words(Parameters::text("server_options"));
  if (settings.has_server_option("--http"))
    parameters.refuse(
        "server_options is for both servers: give each its port by nb_http and sb_http");
  settings.control_timeout_ms = parameters.number("control_timeout", 2, 1, 600) * 1000;
  settings.copies_wait_ms = parameters.number("copies_wait", 60, 0, 604'800) * 1000;
  settings.early_demotion = parameters.flag("early_demotion", true);
  settings.promote_stale = parameters.flag("promote_stale", false);
  settings.role_lease_s = parameters.number("role_lease", -1, 0, 86'400);
  settings.sync_replicas = static_cast<int>(parameters.number("sync_replicas", 1, 0, 100));
  settings.sync_fallback = parameters.word("sync_fallback", "async", {"async", "block"});
  settings.advertise_role =
      parameters.word("advertise_role", "none", {"none", "leader", "connected"});
  for (const Which which : kBoth) settings.databases[which] = read_database(parameters, which);
  if (settings.databases[Which::kNb].port == settings.databases[Which::kSb].port)
    parameters.refuse("nb_master_port and sb_master_port are the same");
  return settings;
}

/// Servers are ours if they stand in an install's folder, beside tandem-agent, or on PATH. A folder
/// may hold a stock server, too.
void find_servers(Settings& settings, Places& places) {
  const std::string folder = Parameters::text("tandem_dir");
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
  order.promoted_max = number(meta("promoted_max", meta("master_max")), 1);
  order.is_notified = parse_boolean(meta("notify", "true")).value_or(false);
  Parameters parameters;
  const std::string clone = order.fault_of_clone();
  if (!clone.empty()) parameters.refuse(clone);
  order.settings = read_settings(parameters);
  environment.refusal = parameters.refusal();
  Places& places = environment.places;
  const std::string ovn_ctl = Parameters::text("ovn_ctl");
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
