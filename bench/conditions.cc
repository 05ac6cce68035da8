// Clients that monitor as ovn-controller does: of most tables only what concerns the logical
// switches that have ports on their chassis. A writer adds flows to those switches; now and then a
// client gets its first port on a switch, or loses the last one, and changes its conditions.

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "bench/ovn.h"
#include "bench/reply.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

namespace {

/// A table and the column that tells the datapath of its rows.
struct DatapathTable {
  std::string_view table;
  std::string_view column;
  std::string_view function;
};
constexpr std::array<DatapathTable, 6> kTables = {{{"Logical_Flow", "logical_datapath", "=="},
                                                   {"Port_Binding", "datapath", "=="},
                                                   {"MAC_Binding", "datapath", "=="},
                                                   {"Multicast_Group", "datapath", "=="},
                                                   {"DNS", "datapaths", "includes"},
                                                   {"IGMP_Group", "datapath", "=="}}};

std::map<std::string, std::string> conditions_of(const std::string& chassis,
                                                 const std::vector<std::string>& datapaths) {
  std::map<std::string, std::string> conditions;
  for (const DatapathTable& entry : kTables) {
    std::string& where = conditions[std::string(entry.table)];
    where = "[";
    for (const std::string& datapath : datapaths)
      where += fmt::format(R"({}["{}","{}",["uuid","{}"]])", where.size() > 1 ? "," : "",
                           entry.column, entry.function, datapath);
    if (entry.table == "Logical_Flow") where += R"(,["logical_dp_group","!=",["set",[]]])";
    if (entry.table == "Port_Binding")
      where += fmt::format(
          R"(,["type","==","patch"],["type","==","chassisredirect"],["type","==","external"],)"
          R"(["chassis","==",["uuid","{0}"]],["additional_chassis","includes",["uuid","{0}"]],)"
          R"(["requested_chassis","==",["uuid","{0}"]])",
          chassis);
    where += "]";
  }
  conditions["Chassis_Private"] = fmt::format(R"([["chassis","==",["uuid","{}"]]])", chassis);
  return conditions;
}

std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

struct Controller {
  std::unique_ptr<Client> client;
  std::string chassis;
  std::vector<std::string> local;  ///< datapaths with flows from the writer
  std::string extra;               ///< a datapath that comes and goes
  bool has_extra = false;

  // A change of conditions that is under way.
  std::int64_t asked_ns = 0;
  bool replied = false;
  std::size_t rows = 0;  ///< of the extra datapath that came, or went
  std::size_t extra_rows = 0;
  std::uint64_t extra_flows = 0;
};

}  // namespace

void run_conditions(const Options& options, Report& report) {
  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  const auto clients = static_cast<std::size_t>(options.number("clients", 100));
  const auto local = static_cast<std::size_t>(options.number("datapaths", 10));
  const auto seconds = static_cast<double>(options.number("seconds", 10));
  const auto rate = static_cast<double>(options.number("rate", 200));
  const auto changes_per_s = static_cast<double>(options.number("changes", 10));

  Client asker(loop, endpoint);
  Client setup(loop, endpoint);
  const auto all = uuids_of(setup, "OVN_Southbound", "Datapath_Binding");
  const auto chassis = uuids_of(setup, "OVN_Southbound", "Chassis");
  const std::size_t extras = all.size() / 4;
  require(extras > 0 && all.size() - extras >= local, "the database has too few datapaths");
  const std::vector<std::string> written(all.begin(),
                                         all.end() - static_cast<std::ptrdiff_t>(extras));

  std::map<std::string, std::uint64_t> flows;
  const std::string reply = setup.call(
      "transact",
      R"(["OVN_Southbound",{"op":"select","table":"Logical_Flow","where":[],"columns":["logical_datapath"]}])");
  for (const Json& row : selected_rows(reply)) {
    const Json& datapath = value_at(row, "/logical_datapath/1");  // or ["set",[]]
    if (const auto* uuid = datapath.get_ptr<const std::string*>()) ++flows[*uuid];
  }

  FlowWriter writer(asker, written);
  std::vector<Controller> controllers(clients);
  std::map<std::string, std::uint64_t> receivers;  // by datapath
  std::uint64_t delivered = 0;
  Latencies delivery;
  Latencies change;
  std::size_t changes_under_way = 0;
  std::size_t changes = 0;

  const auto finish_change = [&](Controller& controller) {
    // The update may come before the reply, or after it.
    const std::size_t wanted =
        controller.has_extra ? controller.extra_flows : controller.extra_rows;
    if (!controller.replied || controller.rows < wanted) return;
    change.add(now_ns() - controller.asked_ns);
    ++changes;
    --changes_under_way;
    controller.asked_ns = 0;
  };
  const auto on_message = [&](Controller& controller, std::string_view text) {
    if (reply_id(text) >= 0 && text.size() < 200) {
      require(text.find(R"("error":null)") != std::string_view::npos,
              "monitor_cond_change was answered " + std::string(text));
      controller.replied = true;
      return finish_change(controller);
    }
    std::size_t at = 0;
    for (std::int64_t mark = find_mark(text, at); mark >= 0; mark = find_mark(text, at)) {
      ++delivered;
      delivery.add(now_ns() - writer.sent_ns(static_cast<std::uint64_t>(mark)));
    }
    if (controller.asked_ns == 0) return;
    if (controller.has_extra) {
      controller.rows +=
          occurrences(text, fmt::format(R"("logical_datapath":["uuid","{}"])", controller.extra));
      controller.extra_rows += occurrences(text, R"("insert":)");
      for (std::size_t mark_at = 0; find_mark(text, mark_at) >= 0;) --controller.extra_rows;
    } else {
      controller.rows += occurrences(text, R"("delete":null)");
    }
    finish_change(controller);
  };

  for (std::size_t i = 0; i < clients; ++i) {
    Controller& controller = controllers[i];
    controller.client = std::make_unique<Client>(loop, endpoint);
    controller.chassis = chassis[i % chassis.size()];
    for (std::size_t j = 0; j < local; ++j) {
      controller.local.push_back(written[(i * 7 + j * 13) % written.size()]);
      ++receivers[controller.local.back()];
    }
    controller.extra = all[written.size() + i % extras];
    controller.extra_flows = flows[controller.extra];
    controller.client->call(
        "monitor_cond_since",
        fmt::format(R"(["OVN_Southbound","bench",{},"00000000-0000-0000-0000-000000000000"])",
                    whole_database(setup, "OVN_Southbound", false,
                                   conditions_of(controller.chassis, controller.local))));
    controller.client->on_message = [&, i](std::string_view text) {
      on_message(controllers[i], text);
    };
  }

  const auto change_conditions = [&](Controller& controller) {
    std::vector<std::string> datapaths = controller.local;
    controller.has_extra = !controller.has_extra;
    if (controller.has_extra) datapaths.push_back(controller.extra);
    std::string params;
    for (const auto& [table, where] : conditions_of(controller.chassis, datapaths))
      params += fmt::format(R"({}"{}":[{{"where":{}}}])", params.empty() ? "" : ",", table, where);
    controller.rows = 0;
    if (controller.has_extra) controller.extra_rows = 0;
    controller.replied = false;
    controller.asked_ns = now_ns();
    ++changes_under_way;
    controller.client->send(
        request(1, "monitor_cond_change", R"(["bench","bench",{)" + params + "}]"));
  };

  Meter meter(options.number("pid", 0));
  meter.start();
  const std::int64_t started = now_ns();
  const std::int64_t until = started + static_cast<std::int64_t>(seconds * 1e9);
  std::size_t turn = 0;
  std::function<void()> next_change = [&] {
    // One client after the other gets its switch, and loses it with the next change.
    Controller& controller = controllers[(turn / 2) % clients];
    if (controller.asked_ns == 0) change_conditions(controller), ++turn;
    const std::int64_t at = now_ns() + static_cast<std::int64_t>(1e9 / changes_per_s);
    if (at < until) loop.at(at, next_change);
  };
  if (changes_per_s > 0) loop.at(started, next_change);
  writer.write_at_rate(loop, rate);
  loop.run_for(seconds);
  writer.stop();
  loop.run_until([&] { return writer.idle() && changes_under_way == 0; }, 60, "changes");
  std::uint64_t expected = 0;
  for (std::uint64_t number = 0; number < writer.sent(); ++number) {
    const auto found = receivers.find(written[number % written.size()]);
    if (found != receivers.end()) expected += found->second;
  }
  loop.run_until([&] { return delivered >= expected; }, 60, "updates");
  meter.stop();
  loop.run_for(0.05);
  require(delivered == expected, fmt::format("{} updates came instead of {}", delivered, expected));

  report.add("cpu_us", meter.cpu_s() * 1e6 / static_cast<double>(delivered));
  report.add("deliveries", static_cast<double>(delivered));
  report.add("changes", static_cast<double>(changes));
  delivery.report(report, "delivery");
  change.report(report, "change");
  writer.latencies.report(report, "writer");
}

}  // namespace tandem::bench
