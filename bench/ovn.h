#pragma once

// What the scenarios know of OVN's databases.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/client.h"
#include "bench/meter.h"

namespace tandem::bench {

/// Tells the rows of this run from those of others on the same server.
const std::string& run_name();

/// The _uuid of every row of a table.
std::vector<std::string> uuids_of(Client& client, std::string_view database,
                                  std::string_view table);

/// <monitor-cond-requests> for all columns of all tables. `conditions` has the "where" of the
/// tables that shall have one, as text. Without `initial` the first answer is empty.
std::string whole_database(Client& client, std::string_view database, bool initial,
                           const std::map<std::string, std::string>& conditions = {});

/// Everything that a monitor was told at its start, in a form to compare: the sum of the hashes of
/// its rows, without those that a FlowWriter has written.
struct Contents {
  std::uint64_t rows = 0;
  std::uint64_t digest = 0;
  std::set<std::uint64_t> marks;                 ///< of the FlowWriter's rows
  std::string last_id;                           ///< of a monitor_cond_since
  bool found = false;                            ///< of a monitor_cond_since
  std::map<std::string, std::uint64_t> rows_of;  ///< by table

  bool same_rows(const Contents& other) const {
    return rows == other.rows && digest == other.digest;
  }
  std::string digest_text() const;
};
/// Reads the reply to a monitor_cond_since.
Contents read_contents(std::string_view reply);

/// The number that a FlowWriter has put into a row in this text; -1: none. The search goes on from
/// `at`, which is moved behind what was found.
std::int64_t find_mark(std::string_view text, std::size_t& at);
std::int64_t find_mark(std::string_view text);

/// Inserts one logical flow a transaction, each with its number in the match, through one client.
class FlowWriter {
 public:
  FlowWriter(Client& client, std::vector<std::string> datapaths);

  /// Sends the next transaction. Returns its number.
  std::uint64_t write();
  std::uint64_t write(const std::string& datapath);
  /// From now on one transaction every 1/rate seconds, whether or not the former was answered,
  /// until stop().
  void write_at_rate(Loop& loop, double per_second);
  void stop() { running_ = false; }

  std::uint64_t sent() const { return sent_at_.size(); }
  std::uint64_t answered() const { return answered_; }
  bool idle() const { return answered_ == sent_at_.size(); }
  std::int64_t sent_ns(std::uint64_t number) const { return sent_at_[number]; }
  /// From sending to the reply.
  Latencies latencies;
  void forget_latencies() { latencies = {}; }

 private:
  void schedule(Loop& loop, std::int64_t at_ns, std::int64_t step_ns);

  Client& client_;
  std::vector<std::string> datapaths_;
  std::vector<std::int64_t> sent_at_;
  std::uint64_t answered_ = 0;
  bool running_ = false;
};

}  // namespace tandem::bench
