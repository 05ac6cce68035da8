// Logical switch ports come, change and go, as ovn-nbctl and a cloud's plugin do it.

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

#include "bench/ovn.h"
#include "bench/reply.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

namespace {

/// What one transaction slot believes to be in the database.
struct Port {
  std::string uuid;
  std::string name;
  std::string value;  ///< in external_ids
  std::string the_switch;
};

class Mix {
 public:
  Mix(std::size_t slots, std::vector<std::string> switches, bool durable)
      : switches_(std::move(switches)),
        durable_(durable ? R"(,{"op":"commit","durable":true})" : "") {
    slots_.resize(slots);
  }

  /// The next transaction of a slot: ports come, change twice, and go; about four are there.
  std::string next(std::size_t number) {
    Slot& slot = slots_[number];
    const std::uint64_t turn = slot.turn++;
    if (turn % 4 == 0) return insert(slot, number);
    if (turn % 4 == 3 && slot.ports.size() > 4) return remove(slot);
    return update(slot, turn);
  }

  void answered(std::size_t number, std::string_view reply) {
    Slot& slot = slots_[number];
    check_result(reply, slot.counts);
    if (slot.inserted) {
      constexpr std::string_view kUuid = R"(["uuid",")";
      const std::size_t at = reply.find(kUuid);
      require(at != std::string_view::npos, "an insert was answered " + std::string(reply));
      slot.ports.back().uuid = reply.substr(at + kUuid.size(), 36);
    }
  }

  /// Reads all ports of this run back, and compares.
  void check(Client& client) const {
    const std::string reply = client.call(
        "transact",
        fmt::format(R"(["OVN_Northbound",{{"op":"select","table":"Logical_Switch_Port",)"
                    R"("where":[["external_ids","includes",["map",[["bench","{}"]]]]],)"
                    R"("columns":["_uuid","name","external_ids"]}}])",
                    run_name()));
    std::map<std::string, std::string> found;
    for (const Json& row : selected_rows(reply)) {
      std::string value;
      for (const Json& pair : value_at(row, "/external_ids/1")) {
        if (value_at(pair, "/0") == "value") value = text_at(pair, "/1");
      }
      found.emplace(text_at(row, "/_uuid/1"), text_at(row, "/name") + value);
    }
    std::map<std::string, std::string> wanted;
    for (const Slot& slot : slots_) {
      for (const Port& port : slot.ports) wanted.emplace(port.uuid, port.name + port.value);
    }
    require(found == wanted,
            fmt::format("{} ports of {} are as they should be", found.size(), wanted.size()));
  }

 private:
  struct Slot {
    std::deque<Port> ports;
    std::uint64_t turn = 0;
    bool inserted = false;   ///< by the transaction under way
    std::size_t counts = 0;  ///< that it must answer
  };

  std::string insert(Slot& slot, std::size_t number) {
    Port port;
    port.name = fmt::format("bench-{}-{}-{}", run_name(), number, slot.turn);
    port.the_switch = switches_[(number * 31 + slot.turn) % switches_.size()];
    slot.ports.push_back(port);
    slot.inserted = true;
    slot.counts = 1;
    return fmt::format(
        R"(["OVN_Northbound",{{"op":"insert","table":"Logical_Switch_Port","uuid-name":"row1",)"
        R"("row":{{"name":"{}","addresses":["set",["0a:00:00:00:00:01 10.0.0.1"]],)"
        R"("port_security":["set",["0a:00:00:00:00:01 10.0.0.1"]],)"
        R"("external_ids":["map",[["bench","{}"]]]}}}},)"
        R"({{"op":"mutate","table":"Logical_Switch","where":[["_uuid","==",["uuid","{}"]]],)"
        R"("mutations":[["ports","insert",["named-uuid","row1"]]]}}{}])",
        port.name, run_name(), port.the_switch, durable_);
  }

  std::string update(Slot& slot, std::uint64_t turn) {
    Port& port = slot.ports[turn % slot.ports.size()];
    port.value = std::to_string(turn);
    slot.inserted = false;
    slot.counts = 1;
    return fmt::format(R"(["OVN_Northbound",{{"op":"update","table":"Logical_Switch_Port",)"
                       R"("where":[["_uuid","==",["uuid","{}"]]],"row":{{"up":{},)"
                       R"("external_ids":["map",[["bench","{}"],["value","{}"]]]}}}}{}])",
                       port.uuid, turn % 2 == 0 ? "true" : "false", run_name(), port.value,
                       durable_);
  }

  std::string remove(Slot& slot) {
    const Port port = slot.ports.front();
    slot.ports.pop_front();
    slot.inserted = false;
    slot.counts = 1;
    return fmt::format(R"(["OVN_Northbound",{{"op":"mutate","table":"Logical_Switch",)"
                       R"("where":[["_uuid","==",["uuid","{}"]]],)"
                       R"("mutations":[["ports","delete",["uuid","{}"]]]}}{}])",
                       port.the_switch, port.uuid, durable_);
  }

  const std::vector<std::string> switches_;
  const std::string durable_;
  std::vector<Slot> slots_;
};

}  // namespace

void run_transactions(const Options& options, Report& report) {
  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  const auto connections = static_cast<std::size_t>(options.number("connections", 4));
  const auto in_flight = static_cast<std::size_t>(options.number("in-flight", 8));
  const auto count = static_cast<std::size_t>(options.number("count", 100'000));
  const std::size_t warm_up = count / 10;

  Client asker(loop, endpoint);
  Mix mix(connections * in_flight, uuids_of(asker, "OVN_Northbound", "Logical_Switch"),
          options.number("durable", 0) != 0);
  Meter meter(options.number("pid", 0));
  Latencies latencies;
  std::vector<std::int64_t> sent_at(connections * in_flight);
  std::vector<std::unique_ptr<Client>> clients;
  std::size_t sent = 0;
  std::size_t answered = 0;
  const auto send = [&](Client& client, std::size_t slot) {
    client.send(request(static_cast<std::int64_t>(slot), "transact", mix.next(slot)));
    sent_at[slot] = now_ns();
    ++sent;
  };
  for (std::size_t i = 0; i < connections; ++i) {
    clients.push_back(std::make_unique<Client>(loop, endpoint));
    Client& client = *clients.back();
    client.on_message = [&](std::string_view reply) {
      const auto slot = static_cast<std::size_t>(reply_id(reply));
      require(slot < sent_at.size(), "a reply has an unknown id");
      mix.answered(slot, reply);
      if (++answered == warm_up) meter.start();
      if (answered > warm_up) latencies.add(now_ns() - sent_at[slot]);
      if (sent < warm_up + count) send(client, slot);
    };
    for (std::size_t slot = i * in_flight; slot < (i + 1) * in_flight; ++slot) send(client, slot);
  }
  loop.run_until([&] { return answered >= warm_up + count; }, 600, "transactions");
  meter.stop();
  mix.check(asker);

  report.add("cpu_us", meter.cpu_s() * 1e6 / static_cast<double>(count));
  report.add("per_s", static_cast<double>(count) / meter.wall_s());
  report.add("transactions", static_cast<double>(sent));
  latencies.report(report, "latency");
}

void run_inserts(const Options& options, Report& report) {
  Loop loop;
  Client client(loop, Endpoint(options.text("address"), options));
  const auto rows = options.number("rows", 500);
  const auto count = options.number("count", 100);
  const auto in_flight = options.number("in-flight", 2);
  const std::vector<std::string> datapaths = uuids_of(client, "OVN_Southbound", "Datapath_Binding");

  // Made beforehand, so that the client costs nothing beside the server.
  std::vector<std::string> requests;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string params = R"(["OVN_Southbound")";
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t number = i * rows + row;
      params += fmt::format(
          R"(,{{"op":"insert","table":"Logical_Flow","uuid-name":"row{}","row":{{)"
          R"("logical_datapath":["uuid","{}"],"pipeline":"egress","table_id":9,"priority":{},)"
          R"("match":"outport == \"bench-{}\" && eth.dst == 0a:00:00:00:00:01 && ip4.dst == 10.0.0.7",)"
          R"("actions":"next;","external_ids":["map",[["source","northd.c:5432"],)"
          R"(["stage-name","ls_out_port_sec_ip"]]]}}}})",
          row, datapaths[static_cast<std::size_t>(number) % datapaths.size()], number % 60000,
          number);
    }
    requests.push_back(request(i, "transact", params + "]"));
  }

  Meter meter(options.number("pid", 0));
  Latencies latencies;
  std::vector<std::int64_t> sent_at;
  std::int64_t answered = 0;
  const auto send = [&] {
    client.send(requests[sent_at.size()]);
    sent_at.push_back(now_ns());
  };
  client.on_message = [&](std::string_view reply) {
    require(reply_id(reply) == answered, "a reply is out of order");
    check_result(reply, 0);
    std::int64_t inserted = 0;
    for (std::size_t at = reply.find("\"uuid\":"); at != std::string_view::npos;
         at = reply.find("\"uuid\":", at + 1))
      ++inserted;
    require(inserted == rows, fmt::format("{} rows of {} were inserted", inserted, rows));
    latencies.add(now_ns() - sent_at[static_cast<std::size_t>(answered)]);
    ++answered;
    if (static_cast<std::int64_t>(sent_at.size()) < count) send();
  };
  meter.start();
  for (std::int64_t i = 0; i < std::min(in_flight, count); ++i) send();
  loop.run_until([&] { return answered == count; }, 600, "inserts");
  meter.stop();

  client.on_message = nullptr;
  const std::string deleted = client.call(
      "transact",
      R"(["OVN_Southbound",{"op":"delete","table":"Logical_Flow","where":[["table_id","==",9],)"
      R"(["pipeline","==","egress"],["external_ids","includes",["map",[["source","northd.c:5432"]]]]]}])");
  require(deleted.find(fmt::format("\"count\":{}}}", count * rows)) != std::string::npos,
          "not all rows were there: " + deleted);
  report.add("cpu_us", meter.cpu_s() * 1e6 / static_cast<double>(count * rows));
  report.add("rows_per_s", static_cast<double>(count * rows) / meter.wall_s());
  latencies.report(report, "latency");
}

}  // namespace tandem::bench
