#include "server/ctl/copies.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "server/logging/printable.h"

namespace tandem::ctl {

namespace {

/// A backup that is behind for no longer is in sync: it always is for the time of a round trip.
constexpr std::int64_t kMostLagMs = 1000;

// Members of a status. Older servers have fewer.

std::string text_of(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  const auto* text = member != nullptr ? member->get_ptr<const std::string*>() : nullptr;
  return text != nullptr ? printable(*text) : "";
}

bool flag_of(const Json& object, std::string_view name, bool otherwise = false) {
  const Json* member = find_member(object, name);
  const auto* flag = member != nullptr ? member->get_ptr<const bool*>() : nullptr;
  return flag != nullptr ? *flag : otherwise;
}

std::optional<std::int64_t> number_of(const Json& object, std::string_view name) {
  const Json* member = find_member(object, name);
  const auto* number = member != nullptr ? member->get_ptr<const std::int64_t*>() : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::uint64_t count_of(const Json& object, std::string_view name) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number_of(object, name).value_or(0)));
}

const Json& member_of(const Json& object, std::string_view name) {
  static const Json kNone;
  const Json* member = find_member(object, name);
  return member != nullptr ? *member : kNone;
}

void read_position(const Json& position, Copy& copy) {
  copy.epoch = count_of(position, "epoch");
  copy.index = count_of(position, "index");
  copy.digest = text_of(position, "digest");
}

/// How a backup stands to its active, as it says itself.
void read_follower(const Json& follower, Copy& copy) {
  if (!follower.is_object()) {
    copy.state = "idle";
    return;
  }
  copy.state = flag_of(follower, "stale") ? "stale" : text_of(follower, "state");
  copy.own_digest = text_of(follower, "mode") != "monitor";
  copy.heard_ms_ago = number_of(follower, "heard_ms_ago");
  if (copy.state != "replicating") return;
  if (find_member(follower, "lag_records") != nullptr)
    copy.lag_records = count_of(follower, "lag_records");
  copy.lag_ms = number_of(follower, "lag_ms");
  if (copy.lag_ms.value_or(0) > kMostLagMs) copy.state = "behind";
  copy.in_sync = copy.state == "replicating";
}

/// Those of the server as a whole, and of this database.
void read_troubles(const Json& status, const Json& databases, Copy& copy) {
  const auto is_of_another = [&](const std::string& subject) {
    return subject != copy.database &&
           std::any_of(databases.begin(), databases.end(),
                       [&](const Json& database) { return text_of(database, "name") == subject; });
  };
  for (const Json& trouble : member_of(member_of(status, "health"), "troubles")) {
    const std::string subject = text_of(trouble, "subject");
    if (!is_of_another(subject)) copy.troubles.push_back(subject + ": " + text_of(trouble, "what"));
  }
}

void read_active(const Json& status, const Json& database, Copy& copy) {
  const bool expired = text_of(member_of(status, "lease"), "state") == "expired";
  copy.writable = flag_of(database, "writable", flag_of(status, "writable"));
  copy.state = copy.writable ? "writable" : expired ? "expired" : "read-only";
}

Copy read_copy(const std::string& target, const Json& status, const Json& database) {
  Copy copy;
  copy.target = target;
  copy.node = text_of(status, "node_name");
  if (copy.node.empty()) copy.node = text_of(status, "host");
  copy.server_id = text_of(status, "server_id");
  copy.database = text_of(database, "name");
  copy.active = text_of(database, "role") == "active";
  copy.relay = text_of(database, "role") == "relay";
  copy.source = text_of(database, "source");
  read_position(member_of(database, "position"), copy);
  read_troubles(status, member_of(status, "databases"), copy);
  if (copy.active) {
    read_active(status, database, copy);
  } else {
    read_follower(member_of(database, "follower"), copy);
  }
  const Json& health = member_of(database, "health");
  if (!flag_of(health, "writable", true)) {
    copy.state = find_member(health, "damage") != nullptr ? "damaged" : "failing";
    copy.in_sync = false;
  }
  return copy;
}

/// A backup as its active sees it. One that is `doubted` is another connection of the same copy.
Copy read_told(const Copy& active, const Json& follower) {
  Copy copy;
  copy.target = text_of(follower, "node");
  copy.node = copy.target;
  copy.server_id = text_of(follower, "server_id");
  copy.database = active.database;
  copy.told = true;
  copy.in_sync = flag_of(follower, "in_sync");
  copy.state = copy.in_sync ? "replicating" : "behind";
  read_position(member_of(follower, "acknowledged"), copy);
  copy.lag_records = count_of(follower, "lag_records");
  return copy;
}

bool has(const std::vector<Copy>& copies, const Copy& copy) {
  return std::any_of(copies.begin(), copies.end(), [&](const Copy& other) {
    return !copy.server_id.empty() && other.server_id == copy.server_id &&
           other.database == copy.database;
  });
}

void add(std::vector<Copy>& copies, Copy copy) {
  if (!has(copies, copy)) copies.push_back(std::move(copy));
}

/// A backup of another history than the writer's is not in sync, whatever it says: it follows
/// somebody else. The position of a relay is its own.
void compare(const Copy& writer, Copy& copy) {
  if (copy.active || copy.relay || copy.database != writer.database || !copy.own_digest) return;
  const bool same_place = copy.epoch == writer.epoch && copy.index == writer.index;
  if (copy.epoch == writer.epoch && (!same_place || copy.digest == writer.digest)) return;
  copy.in_sync = false;
  if (copy.state == "replicating") copy.state = "other-history";
}

}  // namespace

Copies gather(const std::vector<Asked>& asked) {
  Copies all;
  std::vector<Copy> told;
  for (const Asked& server : asked) {
    if (server.status.has_error()) {
      all.silent.push_back({server.target, printable(server.status.error().to_string())});
      continue;
    }
    for (const Json& database : member_of(*server.status, "databases")) {
      const Copy copy = read_copy(server.target, *server.status, database);
      if (copy.active) {
        for (const Json& follower : member_of(database, "followers")) {
          if (!flag_of(follower, "doubted")) told.push_back(read_told(copy, follower));
        }
      }
      add(all.copies, copy);
    }
  }
  for (Copy& copy : told) add(all.copies, std::move(copy));
  const std::vector<Copy> known = all.copies;
  for (const Copy& writer : known) {
    if (!writer.writable) continue;
    for (Copy& copy : all.copies) compare(writer, copy);
  }
  std::stable_sort(all.copies.begin(), all.copies.end(), [](const Copy& a, const Copy& b) {
    return std::tie(a.database, b.active, a.relay) < std::tie(b.database, a.active, b.relay);
  });
  return all;
}

}  // namespace tandem::ctl
