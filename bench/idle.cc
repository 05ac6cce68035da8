// Many clients that only answer probes and send their own, and one that asks for something.

#include <fmt/format.h>
#include <sys/resource.h>

#include <memory>
#include <vector>

#include "bench/ovn.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

void run_idle(const Options& options, Report& report) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  const auto clients = static_cast<std::size_t>(options.number("clients", 1000));
  const auto seconds = static_cast<double>(options.number("seconds", 10));
  const auto count = options.number("count", 500);
  const std::int64_t pid = options.number("pid", 0);
  constexpr double kProbeSeconds = 5;

  Client asker(loop, endpoint);
  const std::string datapath = uuids_of(asker, "OVN_Southbound", "Datapath_Binding").front();
  const std::string select = fmt::format(
      R"(["OVN_Southbound",{{"op":"select","table":"Datapath_Binding","where":[["_uuid","==",["uuid","{}"]]],"columns":["tunnel_key"]}}])",
      datapath);

  std::vector<std::unique_ptr<Client>> idle;
  std::uint64_t answers = 0;
  std::uint64_t probes = 0;
  const std::string echo = request(1, "echo", "[]");
  std::function<void(std::size_t)> probe = [&](std::size_t i) {
    idle[i]->send(echo);
    ++probes;
    loop.at(now_ns() + static_cast<std::int64_t>(kProbeSeconds * 1e9), [&, i] { probe(i); });
  };
  for (std::size_t i = 0; i < clients; ++i) {
    idle.push_back(std::make_unique<Client>(loop, endpoint));
    idle.back()->on_message = [&](std::string_view reply) {
      require(reply_id(reply) == 1, "an idle client was told " + std::string(reply));
      ++answers;
    };
    // Spread over the time between two probes.
    const double offset = kProbeSeconds * static_cast<double>(i) / static_cast<double>(clients);
    loop.at(now_ns() + static_cast<std::int64_t>(offset * 1e9), [&, i] { probe(i); });
    if (i % 64 == 63) loop.run_for(0.001);
  }
  loop.run_for(1);
  asker.call("transact", select);  // all connections before it have been accepted

  report.add("resident_bytes", resident_bytes(pid));
  Meter quiet(pid);
  quiet.start();
  loop.run_for(seconds);
  quiet.stop();
  Meter busy(pid);
  Latencies latencies;
  busy.start();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t sent = now_ns();
    const std::string reply = asker.call("transact", select);
    latencies.add(now_ns() - sent);
    require(reply.find("tunnel_key") != std::string::npos, "a select was answered " + reply);
  }
  busy.stop();
  loop.run_for(0.3);
  require(answers + 100 > probes, fmt::format("{} probes of {} were answered", answers, probes));

  const double idle_share = quiet.cpu_s() / quiet.wall_s();
  report.add("idle_core_percent", idle_share * 100);
  report.add("cpu_us",
             (busy.cpu_s() - idle_share * busy.wall_s()) * 1e6 / static_cast<double>(count));
  latencies.report(report, "request");
}

}  // namespace tandem::bench
