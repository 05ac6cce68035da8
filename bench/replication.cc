// Pairs: how far a backup is behind, how fast it can follow, and clients that come over to it.

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "bench/ovn.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

namespace {

constexpr std::string_view kNoId = "00000000-0000-0000-0000-000000000000";

std::string flows_monitor() {
  return fmt::format(
      R"(["OVN_Southbound","bench",{{"Logical_Flow":[{{"columns":["match"],"select":{{"initial":false}}}}]}},"{}"])",
      kNoId);
}

}  // namespace

void run_lag(const Options& options, Report& report) {
  Loop loop;
  Client asker(loop, Endpoint(options.text("address"), options));
  Client backup(loop, Endpoint(options.text("backup"), options));
  const auto seconds = static_cast<double>(options.number("seconds", 10));
  const auto rate = static_cast<double>(options.number("rate", 300));
  const auto count = static_cast<std::uint64_t>(options.number("count", 20'000));
  const auto in_flight = static_cast<std::uint64_t>(options.number("in-flight", 32));
  FlowWriter writer(asker, uuids_of(asker, "OVN_Southbound", "Datapath_Binding"));

  backup.call("monitor_cond_since", flows_monitor());
  std::uint64_t seen = 0;
  Latencies lag;
  backup.on_message = [&](std::string_view text) {
    std::size_t at = 0;
    std::uint64_t marks = 0;
    for (std::int64_t mark = find_mark(text, at); mark >= 0; mark = find_mark(text, at)) {
      lag.add(now_ns() - writer.sent_ns(static_cast<std::uint64_t>(mark)));
      ++marks;
    }
    seen += marks;
  };

  Meter active_cpu(options.number("pid", 0));
  Meter backup_cpu(options.number("backup-pid", 0));
  active_cpu.start();
  backup_cpu.start();
  writer.write_at_rate(loop, rate);
  loop.run_for(seconds);
  writer.stop();
  loop.run_until([&] { return seen == writer.sent(); }, 60, "the backup");
  active_cpu.stop();
  backup_cpu.stop();
  lag.report(report, "lag");
  report.add("active_cpu_us", active_cpu.cpu_s() * 1e6 / static_cast<double>(seen));
  report.add("backup_cpu_us", backup_cpu.cpu_s() * 1e6 / static_cast<double>(seen));

  // As fast as it goes: what counts is when the backup has them all.
  const std::uint64_t before = writer.sent();
  const std::int64_t started = now_ns();
  loop.run_until(
      [&] {
        while (writer.sent() < before + count && writer.sent() - writer.answered() < in_flight)
          writer.write();
        return seen == before + count;
      },
      300, "the backup");
  report.add("replicated_per_s",
             static_cast<double>(count) * 1e9 / static_cast<double>(now_ns() - started));
}

void run_failover(const Options& options, Report& report) {
  Loop loop;
  const Endpoint active(options.text("address"), options);
  const Endpoint backup(options.text("backup"), options);
  const auto clients = static_cast<std::size_t>(options.number("clients", 20));

  std::string requests;
  std::vector<Contents> before(clients);
  {
    Client writing(loop, active);
    FlowWriter writer(writing, uuids_of(writing, "OVN_Southbound", "Datapath_Binding"));
    std::vector<std::unique_ptr<Client>> connected;
    for (std::size_t i = 0; i < clients; ++i) {
      connected.push_back(std::make_unique<Client>(loop, active));
      Client& client = *connected.back();
      if (requests.empty()) requests = whole_database(client, "OVN_Southbound", true);
      before[i] = read_contents(
          client.call("monitor_cond_since",
                      fmt::format(R"(["OVN_Southbound","bench",{},"{}"])", requests, kNoId)));
      require(before[i].same_rows(before[0]), "two clients have read different contents");
    }
  }
  // Whoever started us ends the active and promotes the backup.
  std::puts("ready");
  std::fflush(stdout);
  char go = 0;
  require(read(STDIN_FILENO, &go, 1) == 1, "nobody said go");

  Meter meter(options.number("backup-pid", 0));
  std::vector<std::unique_ptr<Client>> connected;
  std::vector<std::string> replies(clients);
  std::size_t complete = 0;
  meter.start();
  for (std::size_t i = 0; i < clients; ++i) {
    connected.push_back(std::make_unique<Client>(loop, backup));
    connected.back()->on_message = [&, i](std::string_view text) {
      if (!replies[i].empty()) return;
      replies[i] = text;
      ++complete;
    };
    connected.back()->send(
        request(1, "monitor_cond_since",
                fmt::format(R"(["OVN_Southbound","bench",{},"{}"])", requests, before[i].last_id)));
  }
  loop.run_until([&] { return complete == clients; }, 300, "clients to come over");
  meter.stop();

  std::uint64_t bytes = 0;
  std::uint64_t resumed = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    const Contents after = read_contents(replies[i]);
    bytes += connected[i]->bytes_in();
    // Nothing was written meanwhile: either nothing is told, or everything once more.
    resumed += after.found ? 1 : 0;
    require(after.found ? after.rows == 0 : after.same_rows(before[i]),
            "the contents on the other server are different");
  }
  report.add("bytes", static_cast<double>(bytes));
  report.add("resumed_percent",
             100.0 * static_cast<double>(resumed) / static_cast<double>(clients));
  report.add("cpu_s", meter.cpu_s());
  report.add("wall_s", meter.wall_s());
  report.add("digest", before[0].digest_text());
}

void run_mark(const Options& options, Report& report) {
  Loop loop;
  Client client(loop, Endpoint(options.text("address"), options));
  const std::int64_t first = options.number("first", 0);
  const std::int64_t count = options.number("count", 1);
  for (std::int64_t i = first; i < first + count; ++i) {
    check_result(
        client.call(
            "transact",
            fmt::format(
                R"(["OVN_Southbound",{{"op":"insert","table":"Chassis_Private","row":{{"name":"tandem-bench-{}."}}}}])",
                i)),
        0);
  }
  report.add("marked_s", static_cast<double>(now_ns()) / 1e9);
}

void run_await(const Options& options, Report& report) {
  const Endpoint endpoint(options.text("address"), options);
  const std::string mark = fmt::format("tandem-bench-{}.", options.number("mark", 0));
  const std::int64_t deadline =
      now_ns() + options.number("seconds", 120) * std::int64_t{1'000'000'000};
  Loop loop;
  std::unique_ptr<Client> client;
  bool ended = true;
  bool seen = false;
  // The server may not be there yet, and may drop clients while it becomes what it shall be.
  while (!seen) {
    require(now_ns() < deadline, "waited in vain for " + mark);
    if (ended) {
      client.reset();
      const int fd = endpoint.try_connect();
      if (fd < 0) {
        usleep(1000);
        continue;
      }
      close(fd);
      client = std::make_unique<Client>(loop, endpoint);
      ended = false;
      client->on_end = [&] { ended = true; };
      client->on_message = [&](std::string_view text) {
        if (text.find(mark) != std::string_view::npos) seen = true;
        // No database yet, or nothing in it, or it went.
        if (text.find("canceled") != std::string_view::npos ||
            text.find("not available") != std::string_view::npos ||
            text.find("unknown database") != std::string_view::npos)
          ended = true;
      };
      client->send(
          request(1, "monitor",
                  R"(["OVN_Southbound","bench",{"Chassis_Private":[{"columns":["name"]}]}])"));
    }
    loop.run_for(0.001);
  }
  report.add("seen_s", static_cast<double>(now_ns()) / 1e9);
}

}  // namespace tandem::bench
