#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "protocol/monitor.h"
#include "server/session/backlog.h"
#include "server/session/connection_port.h"
#include "server/session/update_text.h"
#include "server/writer/directory.h"

namespace tandem {

/// Names a monitor of a session, from its request to its end, and no other one ever after: clients
/// use their ids again.
enum class MonitorNumber : std::uint64_t {};

struct MonitorClient;
struct MonitorGroup;

/// One monitor of one session. A member of a group from its making to its end.
struct Monitor {
  MonitorClient* client = nullptr;
  MonitorNumber number{};
  std::string id;  ///< as JSON text
  MonitorGroup* group = nullptr;
  std::size_t place = 0;  ///< among the group's members
};

/// Monitors that get the same texts. Owned by what is watched of its database.
struct MonitorGroup {
  DatabaseInfoRef database;
  MonitorRequestRef request;
  std::size_t hash = 0;  ///< of the request
  std::vector<Monitor*> members;
  std::vector<const RowChange*> concerned;       ///< scratch of on_commit()
  std::weak_ptr<SharedUpdateText> backlog_text;  ///< that somebody reads
};

/// The monitors of one session. Shared by the hub and by the answers that are under way.
struct MonitorClient {
  using Place = std::tuple<std::uint64_t, const MonitorGroup*, MonitorNumber>;
  static Place place_of(const Monitor& monitor) {
    return {monitor.group->database->generation, monitor.group, monitor.number};
  }

  ConnectionPort* port = nullptr;  ///< null: the session is gone
  std::unordered_map<MonitorNumber, Monitor> monitors;
  std::set<Place> by_group;                         ///< databases' generations, groups, monitors
  std::map<std::uint64_t, Backlog::Cursor> behind;  ///< what it was not sent, by generation
  std::size_t told_at_once = 0;  ///< scratch of on_commit(): changes, each of its monitors counted
  /// Each answer that is under way holds it.
  std::shared_ptr<const void> answers = std::make_shared<int>();

  /// One of its monitors of the database; null if there is none.
  Monitor* any_monitor_of(std::uint64_t generation) {
    const auto at = by_group.lower_bound({generation, nullptr, MonitorNumber{}});
    if (at == by_group.end() || std::get<0>(*at) != generation) return nullptr;
    return &monitors.at(std::get<2>(*at));
  }
  bool has_unfinished_answer() const { return answers.use_count() > 1; }
};

}  // namespace tandem
