// One writer and many clients that monitor the whole Southbound database, at the same server or at
// copies of it.

#include <fmt/format.h>

#include <memory>
#include <sstream>
#include <vector>

#include "bench/ovn.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

void run_fan_out(const Options& options, Report& report) {
  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  const auto clients = static_cast<std::size_t>(options.number("clients", 100));
  const auto count = static_cast<std::uint64_t>(options.number("count", 300));
  std::vector<Endpoint> watched;
  std::istringstream names(options.text("receivers", options.text("address")));
  for (std::string name; std::getline(names, name, ',');) watched.emplace_back(name, options);

  Client asker(loop, endpoint);
  FlowWriter writer(asker, uuids_of(asker, "OVN_Southbound", "Datapath_Binding"));
  Client setup(loop, endpoint);
  const std::string monitor =
      fmt::format(R"(["OVN_Southbound","bench",{},"00000000-0000-0000-0000-000000000000"])",
                  whole_database(setup, "OVN_Southbound", false));

  struct Receiver {
    std::unique_ptr<Client> client;
    std::uint64_t seen = 0;
  };
  std::vector<Receiver> receivers(clients);
  std::string latest;  // the newest update: all receivers must get the same
  std::size_t complete = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    Receiver& receiver = receivers[i];
    receiver.client = std::make_unique<Client>(loop, watched[i % watched.size()]);
    receiver.client->call("monitor_cond_since", monitor);
    receiver.client->on_message = [&, &receiver = receiver](std::string_view text) {
      const std::int64_t mark = find_mark(text);
      require(mark == static_cast<std::int64_t>(receiver.seen),
              fmt::format("update {} came instead of {}", mark, receiver.seen));
      ++receiver.seen;
      bytes += text.size();
      if (complete == 0) {
        latest = text;
      } else {
        require(text == latest, "receivers were told different things");
      }
      ++complete;
    };
  }

  Meter meter(options.number("pid", 0));
  Latencies last_receiver;
  // As soon as all have one update, the next is written.
  const std::uint64_t warm_up = count / 10 + 1;
  for (std::uint64_t i = 0; i < warm_up + count; ++i) {
    if (i == warm_up) {
      meter.start();
      bytes = 0;
    }
    complete = 0;
    const std::uint64_t number = writer.write();
    loop.run_until([&] { return complete == clients; }, 60, "an update");
    if (i >= warm_up) last_receiver.add(now_ns() - writer.sent_ns(number));
    loop.run_until([&] { return writer.idle(); }, 60, "a reply");
  }
  meter.stop();
  loop.run_for(0.05);  // an update too many would come now
  for (const Receiver& receiver : receivers)
    require(receiver.seen == warm_up + count, "a receiver was told too much");

  const double deliveries = static_cast<double>(count * clients);
  report.add("cpu_us", meter.cpu_s() * 1e6 / deliveries);
  report.add("update_bytes", static_cast<double>(bytes) / deliveries);
  report.add("per_s", static_cast<double>(count) / meter.wall_s());
  last_receiver.report(report, "last_receiver");
}

}  // namespace tandem::bench
