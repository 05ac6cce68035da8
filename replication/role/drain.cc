#include "replication/role/drain.h"

#include <fmt/core.h>

#include <algorithm>

namespace tandem {

Drain::Verdict Drain::judge(const std::vector<DrainedDatabase>& databases, bool fresh,
                            std::int64_t now_ms) {
  const std::int64_t waited_ms = now_ms - start_ms_;
  drained_ = fresh;
  successor_has_all_ = fresh;
  successor_is_there_ = true;
  laggards_.clear();
  bool ended = fresh || waited_ms >= kWaitMs;
  for (const DrainedDatabase& database : databases) {
    look_for_successor(database);
    for (const FeedStatus& feed : database.followers) {
      if (feed.doubted || feed.acknowledged == database.position) continue;
      laggards_.push_back({feed.peer_name(), database.name, feed.acknowledged.height()});
      if (!feed.in_sync && !(must_have_ && is_successor(feed))) continue;  // nobody waits for it
      drained_ = false;
      ended = ended && waited_ms >= (is_successor(feed) ? kWaitSuccessorMs : kWaitMs);
    }
  }
  if (must_have_ && fresh && !successor_is_there_) return Verdict::kUndo;
  if (!ended) return Verdict::kWait;
  return must_have_ && !successor_has_all_ ? Verdict::kUndo : Verdict::kEnded;
}

void Drain::look_for_successor(const DrainedDatabase& database) {
  if (successor_.empty()) return;
  bool is_there = false;
  bool has_all = false;
  for (const FeedStatus& feed : database.followers) {
    if (!is_successor(feed)) continue;
    is_there = true;
    has_all = has_all || (!feed.doubted && feed.acknowledged == database.position);
  }
  successor_has_all_ = successor_has_all_ && has_all;
  successor_is_there_ = successor_is_there_ && is_there;
  if (is_there) return;
  drained_ = false;
  laggards_.push_back({successor_, database.name, Height{}});
}

std::string Drain::report() const {
  std::string text = drained_ ? "drained\n" : "";
  for (const Laggard& laggard : laggards_)
    text += fmt::format("lacks {} {} {}\n", laggard.name, laggard.database,
                        laggard.acknowledged.to_string());
  return text;
}

}  // namespace tandem
