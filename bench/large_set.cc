// One row whose set is very large, as an Address_Set or a Port_Group of a large cloud, changes by
// one element at a time while a client watches it.

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bench/client.h"
#include "bench/ovn.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

namespace {

constexpr std::string_view kDatabase = "OVN_Northbound";
constexpr std::size_t kRowsAtOnce = 1000;

/// A set of one row: what it is called, and its elements as JSON.
struct LargeSet {
  std::string_view table;
  std::string_view column;
  std::vector<std::string> elements;
};

std::string mutation(const LargeSet& set, std::string_view mutator, std::string_view elements) {
  return fmt::format(R"({{"op":"mutate","table":"{}","where":[["name","==","{}"]],)"
                     R"("mutations":[["{}","{}",["set",[{}]]]]}})",
                     set.table, run_name(), set.column, mutator, elements);
}

std::string joined(const std::vector<std::string>& parts, std::size_t begin, std::size_t end) {
  return fmt::format("{}", fmt::join(parts.begin() + static_cast<std::ptrdiff_t>(begin),
                                     parts.begin() + static_cast<std::ptrdiff_t>(end), ","));
}

std::string transact(Client& client, const std::string& operations) {
  return client.call("transact", fmt::format(R"(["{}",{}])", kDatabase, operations));
}

void insert_named(Client& client, std::string_view table) {
  transact(client, fmt::format(R"({{"op":"insert","table":"{}","row":{{"name":"{}"}}}})", table,
                               run_name()));
}

LargeSet make_addresses(Client& client, std::size_t n) {
  LargeSet set{"Address_Set", "addresses", {}};
  for (std::size_t i = 0; i < n; ++i) {
    set.elements.push_back(fmt::format("\"10.{}.{}.{}\"", i >> 16, i >> 8 & 255, i & 255));
  }
  insert_named(client, set.table);
  for (std::size_t i = 0; i < n; i += 10 * kRowsAtOnce) {
    const std::size_t end = std::min(n, i + 10 * kRowsAtOnce);
    check_result(transact(client, mutation(set, "insert", joined(set.elements, i, end))), 1);
  }
  return set;
}

/// Ports of one switch, and a group of them all.
LargeSet make_ports(Client& client, std::size_t n) {
  LargeSet set{"Port_Group", "ports", {}};
  insert_named(client, set.table);
  insert_named(client, "Logical_Switch");
  const LargeSet switched{"Logical_Switch", "ports", {}};
  for (std::size_t i = 0; i < n; i += kRowsAtOnce) {
    std::string operations;
    std::vector<std::string> names;
    for (std::size_t j = i; j < std::min(n, i + kRowsAtOnce); ++j) {
      operations +=
          fmt::format(R"({{"op":"insert","table":"Logical_Switch_Port","uuid-name":"p{}",)"
                      R"("row":{{"name":"{}-{}"}}}},)",
                      j, run_name(), j);
      names.push_back(fmt::format(R"(["named-uuid","p{}"])", j));
    }
    const std::string all = joined(names, 0, names.size());
    const std::string reply = transact(client, operations + mutation(switched, "insert", all) +
                                                   "," + mutation(set, "insert", all));
    check_result(reply, 2);
    constexpr std::string_view kUuid = R"(["uuid",")";
    for (std::size_t at = reply.find(kUuid); at != std::string::npos;
         at = reply.find(kUuid, at + 1)) {
      set.elements.push_back(reply.substr(at, kUuid.size() + 36 + 2));
    }
  }
  require(set.elements.size() == n, "all ports were inserted");
  return set;
}

/// Void unless the set holds so many elements.
void check_size(Client& client, const LargeSet& set, std::size_t n) {
  const std::string reply = transact(
      client,
      fmt::format(R"({{"op":"select","table":"{}","where":[["name","==","{}"]],"columns":["{}"]}})",
                  set.table, run_name(), set.column));
  const std::string_view mark = set.column == "ports" ? R"(["uuid",)" : R"("10.)";
  std::size_t found = 0;
  for (std::size_t at = reply.find(mark); at != std::string::npos; at = reply.find(mark, at + 1)) {
    ++found;
  }
  require(found == n, fmt::format("{} elements of {} are there", found, n));
}

}  // namespace

void run_large_set(const Options& options, Report& report) {
  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  Client writer(loop, endpoint);
  Client watcher(loop, endpoint);
  const auto n = static_cast<std::size_t>(options.number("elements", 10'000));
  const auto count = static_cast<std::size_t>(options.number("count", 100));
  const LargeSet set =
      options.text("set") == "ports" ? make_ports(writer, n) : make_addresses(writer, n);
  watcher.call(
      "monitor_cond",
      fmt::format(R"(["{}","watch",{{"{}":[{{"columns":["{}"],"select":{{"initial":false}}}}]}}])",
                  kDatabase, set.table, set.column));

  // Elements go, each in its turn, and come back.
  std::size_t seen = 0;
  std::size_t sent = 0;
  std::size_t answered = 0;
  std::int64_t sent_ns = 0;
  Latencies latencies;
  const auto send = [&] {
    const std::string& element = set.elements[sent / 2 * 7919 % n];
    writer.send(request(static_cast<std::int64_t>(sent), "transact",
                        fmt::format(R"(["{}",{}])", kDatabase,
                                    mutation(set, sent % 2 == 0 ? "delete" : "insert", element))));
    sent_ns = now_ns();
    ++sent;
  };
  watcher.on_message = [&](std::string_view message) {
    require(reply_id(message) == -1, "the watcher is told of changes alone");
    ++seen;
  };
  writer.on_message = [&](std::string_view reply) {
    check_result(reply, 1);
    latencies.add(now_ns() - sent_ns);
    if (++answered < 2 * count) send();
  };
  Meter meter(options.number("pid", 0));
  meter.start();
  send();
  loop.run_until([&] { return answered == 2 * count && seen == answered; }, 600,
                 "changes of a large set");
  meter.stop();
  writer.on_message = nullptr;
  check_size(writer, set, n);
  report.add("cpu_us", meter.cpu_s() * 1e6 / static_cast<double>(2 * count));
  latencies.report(report, "latency");
}

}  // namespace tandem::bench
