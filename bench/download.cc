// Clients that read the whole Southbound database at once while a writer goes on, as after a
// restart; and a compaction beside the writer.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "bench/ovn.h"
#include "bench/scenario.h"
#include "bench/void.h"

namespace tandem::bench {

namespace {

std::string since_zero(Client& setup) {
  return fmt::format(R"(["OVN_Southbound","bench",{},"00000000-0000-0000-0000-000000000000"])",
                     whole_database(setup, "OVN_Southbound", true));
}

/// A writer on a thread and a loop of its own while this lives: its waits are the server's, not
/// those of a bench that is busy with downloads.
class WriterBeside {
 public:
  struct Result {
    std::uint64_t sent = 0;
    Latencies latencies;
  };

  WriterBeside(const Endpoint& endpoint, double rate)
      : result_(std::async(std::launch::async,
                           [this, &endpoint, rate] { return run(endpoint, rate); })) {
    while (!warm_ && result_.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
    }
  }
  ~WriterBeside() { over_ = true; }
  WriterBeside(const WriterBeside&) = delete;
  WriterBeside& operator=(const WriterBeside&) = delete;

  /// Ends it when all is answered. Void if something was wrong.
  Result finish() {
    over_ = true;
    return result_.get();
  }

 private:
  Result run(const Endpoint& endpoint, double rate) {
    Loop loop;
    Client client(loop, endpoint);
    FlowWriter writer(client, uuids_of(client, "OVN_Southbound", "Datapath_Binding"));
    if (rate > 0) writer.write_at_rate(loop, rate);
    loop.run_for(0.5);
    writer.forget_latencies();
    warm_ = true;
    while (!over_) loop.run_for(0.01);
    // A transaction that waited through the downloads is answered after them.
    loop.run_for(0.1);
    writer.stop();
    loop.run_until([&] { return writer.idle(); }, 120, "replies");
    return {writer.sent(), writer.latencies};
  }

  std::atomic<bool> warm_ = false;
  std::atomic<bool> over_ = false;
  std::future<Result> result_;  // last: its end waits for the thread
};

}  // namespace

void run_download(const Options& options, Report& report) {
  Loop loop;
  const Endpoint endpoint(options.text("address"), options);
  const auto clients = static_cast<std::size_t>(options.number("clients", 10));
  const auto rate = static_cast<double>(options.number("rate", 200));

  Client setup(loop, endpoint);
  const std::string monitor = request(1, "monitor_cond_since", since_zero(setup));

  struct Reader {
    std::unique_ptr<Client> client;
    std::string reply;
    std::vector<std::int64_t> marks;  ///< of updates
    std::int64_t newest = -1;         ///< of them
  };
  std::vector<Reader> readers(clients);
  std::size_t complete = 0;
  Latencies done;
  std::int64_t started = 0;
  for (Reader& reader : readers) {
    reader.client = std::make_unique<Client>(loop, endpoint);
    reader.client->on_message = [&](std::string_view text) {
      if (reader.reply.empty()) {
        reader.reply = text;
        ++complete;
        done.add(now_ns() - started);
        return;
      }
      std::size_t at = 0;
      for (std::int64_t mark = find_mark(text, at); mark >= 0; mark = find_mark(text, at)) {
        reader.marks.push_back(mark);
        reader.newest = std::max(reader.newest, mark);
      }
    };
  }
  WriterBeside beside(endpoint, rate);
  Meter meter(options.number("pid", 0));
  meter.start();
  started = now_ns();
  for (Reader& reader : readers) reader.client->send(monitor);
  loop.run_until([&] { return complete == clients; }, 600, "downloads");
  meter.stop();
  // What is written after the downloads comes as updates.
  WriterBeside::Result writer = beside.finish();
  const auto newest = static_cast<std::int64_t>(writer.sent) - 1;
  loop.run_until(
      [&] {
        return std::all_of(readers.begin(), readers.end(),
                           [&](const Reader& reader) { return reader.newest == newest; });
      },
      120, "updates");

  // Every reader has the same rows, and each of the writer's either at once or as an update.
  Contents first;
  std::uint64_t bytes = 0;
  for (Reader& reader : readers) {
    Contents contents = read_contents(reader.reply);
    if (&reader == &readers.front()) {
      first = contents;
      first.marks.clear();
    }
    require(contents.same_rows(first), "two clients have read different contents");
    for (const std::int64_t mark : reader.marks)
      require(contents.marks.insert(static_cast<std::uint64_t>(mark)).second,
              fmt::format("row {} came twice", mark));
    require(contents.marks.size() == writer.sent &&
                (contents.marks.empty() || *contents.marks.rbegin() + 1 == writer.sent),
            fmt::format("{} rows of {} were seen", contents.marks.size(), writer.sent));
    bytes += reader.reply.size();
  }

  report.add("cpu_s", meter.cpu_s());
  report.add("wall_s", meter.wall_s());
  report.add("bytes", static_cast<double>(bytes));
  report.add("digest", first.digest_text());
  done.report(report, "download");
  writer.latencies.report(report, "writer");
}

void run_compaction(const Options& options, Report& report) {
  Loop loop;
  Client asker(loop, Endpoint(options.text("address"), options));
  Client control(loop, Endpoint(options.text("control"), options));
  FlowWriter writer(asker, uuids_of(asker, "OVN_Southbound", "Datapath_Binding"));
  Meter meter(options.number("pid", 0));
  writer.write_at_rate(loop, static_cast<double>(options.number("rate", 200)));
  loop.run_for(1);
  writer.forget_latencies();
  meter.start();
  control.call("ovsdb-server/compact", "[]");
  meter.stop();
  loop.run_for(0.1);
  writer.stop();
  loop.run_until([&] { return writer.idle(); }, 120, "replies");
  Client reader(loop, Endpoint(options.text("address"), options));
  const Contents contents = read_contents(reader.call("monitor_cond_since", since_zero(reader)));
  require(contents.marks.size() == writer.sent(), "rows of the writer are missing");

  report.add("cpu_s", meter.cpu_s());
  report.add("wall_s", meter.wall_s());
  report.add("digest", contents.digest_text());
  writer.latencies.report(report, "writer");
}

void run_contents(const Options& options, Report& report) {
  Loop loop;
  Client reader(loop, Endpoint(options.text("address"), options));
  const Contents contents = read_contents(reader.call("monitor_cond_since", since_zero(reader)));
  report.add("digest", contents.digest_text());
  report.add("marks", static_cast<double>(contents.marks.size()));
}

}  // namespace tandem::bench
