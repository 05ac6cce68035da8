#include "tests/simulation/pacemaker/information_base.h"

#include <fmt/core.h>

#include <string_view>

namespace tandem::simulation::pacemaker {
namespace {

std::string to_string(Score score) {
  if (score.value >= Score::kInfinity) return "INFINITY";
  if (score.value <= -Score::kInfinity) return "-INFINITY";
  return std::to_string(score.value);
}

std::string nvpair(std::string_view id, std::string_view name, std::string_view value) {
  return fmt::format(R"(<nvpair id="{}" name="{}" value="{}"/>)", id, name, value);
}

/// An action in a resource's history.
struct Entry {
  std::string_view id, operation;
  int interval_ms = 0, call = 0, code = 0, expected = 0;
};

std::string to_xml(const std::string& resource, const Entry& entry) {
  constexpr std::string_view kTransition = "aaaa0000-0000-0000-0000-000000000000";
  // Digests of an operation's parameters: there are none, but a recurring one has its timeout.
  const std::string_view digest = entry.interval_ms == 0 ? "f2317cad3d54cec5d7d7aa7d0bf35cf8"
                                                         : "4811cef7f7f94e3a35a70be7916cb2fd";
  const std::string key = fmt::format("{}_{}_{}", resource, entry.operation, entry.interval_ms);
  const std::string id = entry.id.empty() ? key : fmt::format("{}_{}", resource, entry.id);
  const std::string transition = fmt::format("1:{}:{}:{}", entry.call, entry.expected, kTransition);
  return fmt::format(
      R"(<lrm_rsc_op id="{}" operation_key="{}" operation="{}" crm_feature_set="3.16.2" )"
      R"(transition-key="{}" transition-magic="0:{};{}" call-id="{}" rc-code="{}" op-status="0" )"
      R"(interval="{}" last-rc-change="1700000000" op-digest="{}"/>)",
      id, key, entry.operation, transition, entry.code, transition, entry.call, entry.code,
      entry.interval_ms, digest);
}

Entry failed_entry(const Failure& failure) {
  const int code = static_cast<int>(failure.code);
  switch (failure.operation) {
    case Operation::kProbe:
      return {"last_failure_0", "monitor", 0, 9, code, 7};
    case Operation::kStart:
      return {"last_failure_0", "start", 0, 9, code, 0};
    case Operation::kStop:
      return {"last_failure_0", "stop", 0, 9, code, 0};
    case Operation::kPromote:
      return {"last_failure_0", "promote", 0, 9, code, 0};
    case Operation::kDemote:
      return {"last_failure_0", "demote", 0, 9, code, 0};
    case Operation::kMonitor:
      return {"last_failure_0", "monitor", 10000, 9, code, 0};
    case Operation::kMonitorPromoted:
      return {"last_failure_0", "monitor", 15000, 9, code, 8};
  }
  return {};
}

std::string history_xml(const std::string& resource, const History& history) {
  std::string last;
  std::string monitor;
  switch (history.role) {
    case History::Role::kUnknown:
      break;
    case History::Role::kStopped:
      last = to_xml(resource, {"last_0", "monitor", 0, 3, 7, 7});
      break;
    case History::Role::kUnpromoted:
      last = to_xml(resource, {"last_0", "start", 0, 4, 0, 0});
      if (history.monitored) monitor = to_xml(resource, {"", "monitor", 10000, 6, 0, 0});
      break;
    case History::Role::kPromoted:
      last = to_xml(resource, {"last_0", "promote", 0, 5, 0, 0});
      if (history.monitored) monitor = to_xml(resource, {"", "monitor", 15000, 6, 8, 8});
      break;
  }
  if (!history.failure) return last + monitor;
  Entry failed = failed_entry(*history.failure);
  const std::string additional = to_xml(resource, failed);
  failed.id = failed.interval_ms == 0 ? "last_0" : "";
  (failed.interval_ms == 0 ? last : monitor) = to_xml(resource, failed);
  return last + monitor + additional;
}

std::string node_state_xml(const ClusterState& state, std::size_t i) {
  const NodeState& node = state.nodes[i];
  std::string_view presence;
  switch (node.presence) {
    case NodeState::Presence::kOnline:
      presence = R"(in_ccm="true" crmd="online" join="member" expected="member")";
      break;
    case NodeState::Presence::kOffline:
      presence = R"(in_ccm="false" crmd="offline" join="down" expected="down")";
      break;
    case NodeState::Presence::kUnclean:
      presence = R"(in_ccm="false" crmd="offline" join="member" expected="member")";
      break;
  }
  std::string attributes;
  const auto add = [&](std::string_view name, Score score) {
    attributes += nvpair(fmt::format("status-{}-{}", i, attributes.size()), name, to_string(score));
  };
  if (node.promotion_score) add("master-ovn", *node.promotion_score);
  if (node.databases.fail_count.value > 0)
    add("fail-count-ovn#monitor_10000", node.databases.fail_count);
  if (node.address.fail_count.value > 0)
    add("fail-count-vip#monitor_10000", node.address.fail_count);
  return fmt::format(
      R"(<node_state id="{0}" uname="{1}" {2}><lrm id="{0}"><lrm_resources>)"
      R"(<lrm_resource id="ovn" type="ovndb-servers" class="ocf" provider="ovn">{3}</lrm_resource>)"
      R"(<lrm_resource id="vip" type="IPaddr2" class="ocf" provider="heartbeat">{4}</lrm_resource>)"
      R"(</lrm_resources></lrm><transient_attributes id="{0}"><instance_attributes id="status-{0}">)"
      "{5}</instance_attributes></transient_attributes></node_state>",
      i + 1, node.name, presence, history_xml("ovn", node.databases),
      state.has_address ? history_xml("vip", node.address) : "", attributes);
}

std::string node_xml(const NodeState& node, std::size_t i) {
  std::string attributes;
  if (node.standby) attributes += nvpair(node.name + "-standby", "standby", "on");
  if (node.maintenance) attributes += nvpair(node.name + "-maintenance", "maintenance", "true");
  return fmt::format(
      R"(<node id="{}" uname="{}"><instance_attributes id="{}-attributes">{}</instance_attributes></node>)",
      i + 1, node.name, node.name, attributes);
}

std::string constraints_xml(const ClusterState& state) {
  std::string result;
  if (state.has_address)
    result +=
        R"(<rsc_colocation id="colocation" rsc="vip" with-rsc="clone" with-rsc-role="Promoted" score="INFINITY"/>)"
        R"(<rsc_order id="order" first="clone" first-action="promote" then="vip" then-action="start"/>)";
  const auto add = [&](const NodeState& node, std::string_view resource, std::string_view role,
                       Score score) {
    if (score.value != 0)
      result += fmt::format(R"(<rsc_location id="location-{}" rsc="{}" {} node="{}" score="{}"/>)",
                            result.size(), resource, role, node.name, to_string(score));
  };
  for (const NodeState& node : state.nodes) {
    add(node, "clone", R"(role="Promoted")", node.promoted_preference);
    add(node, "clone", "", node.databases_preference);
    if (state.has_address) add(node, "vip", "", node.address_preference);
  }
  return result;
}

std::string resources_xml(const ClusterState& state) {
  std::string operations;
  for (const std::string_view name : {"start", "stop", "promote", "demote", "notify"})
    operations += fmt::format(R"(<op id="op-{0}" name="{0}" interval="0s" timeout="20s"/>)", name);
  std::string result = fmt::format(
      R"(<clone id="clone"><meta_attributes id="clone-meta">{}{}</meta_attributes>)"
      R"(<primitive id="ovn" class="ocf" provider="ovn" type="ovndb-servers"><operations>{}{}{})"
      "</operations></primitive></clone>",
      nvpair("promotable", "promotable", "true"), nvpair("notify", "notify", "true"), operations,
      R"(<op id="op-10" name="monitor" interval="10s" timeout="20s"/>)",
      R"(<op id="op-15" name="monitor" interval="15s" role="Promoted" timeout="20s"/>)");
  if (state.has_address)
    result += R"(<primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"><operations>)"
              R"(<op id="op-vip" name="monitor" interval="10s"/></operations></primitive>)";
  return result;
}

}  // namespace

std::string to_xml(const ClusterState& state) {
  std::string nodes;
  std::string states;
  for (std::size_t i = 0; i < state.nodes.size(); ++i) {
    nodes += node_xml(state.nodes[i], i);
    states += node_state_xml(state, i);
  }
  return fmt::format(
      R"(<cib crm_feature_set="3.16.2" validate-with="none" epoch="1" num_updates="0" )"
      R"(admin_epoch="0" have-quorum="{}"><configuration><crm_config><cluster_property_set id="properties">)"
      "{}{}</cluster_property_set></crm_config><nodes>{}</nodes><resources>{}</resources>"
      R"(<constraints>{}</constraints><rsc_defaults><meta_attributes id="defaults">{}</meta_attributes>)"
      "</rsc_defaults></configuration><status>{}</status></cib>",
      state.has_quorum ? 1 : 0, nvpair("stonith", "stonith-enabled", "false"),
      nvpair("maintenance", "maintenance-mode", state.maintenance ? "true" : "false"), nodes,
      resources_xml(state), constraints_xml(state),
      nvpair("threshold", "migration-threshold", to_string(state.migration_threshold)), states);
}

}  // namespace tandem::simulation::pacemaker
