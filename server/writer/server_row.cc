#include "server/writer/server_row.h"

#include <algorithm>
#include <array>

#include "protocol/json/member_writer.h"

namespace tandem {
namespace {

using namespace std::literals;

constexpr std::array kNames{"none"sv, "leader"sv, "connected"sv};
constexpr std::array kModels{"standalone"sv, "clustered"sv, "relay"sv};

}  // namespace

std::string_view to_string(AdvertisedRole role) { return kNames[static_cast<std::size_t>(role)]; }

std::optional<AdvertisedRole> parse_advertised_role(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<AdvertisedRole>(found - kNames.begin());
}

std::string no_advertised_role(std::string_view name) {
  return '"' + std::string(name) + R"(" is neither "none" nor "leader" nor "connected")";
}

std::string ServerRow::to_json() const {
  const auto set_of = [](const std::optional<Uuid>& uuid) {
    return uuid ? R"(["uuid",")" + uuid->to_string() + R"("])" : R"(["set",[]])"s;
  };
  std::string text = "{";
  MemberWriter members(text);
  members.name("cid") += set_of(cid);
  members.boolean("connected", connected);
  if (index) {
    members.integer("index", *index);
  } else {
    members.name("index") += R"(["set",[]])";
  }
  members.boolean("leader", leader);
  members.string("model", kModels[static_cast<std::size_t>(model)]);
  members.string("name", name);
  if (schema != nullptr) {
    members.string("schema", to_text(*schema));
  } else {
    members.name("schema") += R"(["set",[]])";
  }
  members.name("sid") += set_of(sid);
  return text += '}';
}

std::int64_t advertised_index(const Standing& standing) {
  constexpr int kRecordBits = 20;  // more of them count as later milliseconds
  const std::uint64_t records = std::min(standing.position.index, std::uint64_t{1} << 61);
  return (standing.opened_ms << kRecordBits) + static_cast<std::int64_t>(records);
}

void show_as_clustered(ServerRow& row, AdvertisedRole role, bool writable, const Uuid& server,
                       const Standing& standing, const std::optional<ServerRow>& before) {
  row.model = ServiceModel::kClustered;
  row.leader = writable;
  row.connected = writable || role == AdvertisedRole::kLeader;
  row.cid = standing.origin.value_or(standing.position.digest);
  row.sid = server;
  row.index = advertised_index(standing);
  if (before && before->cid == row.cid && before->index)
    row.index = std::max(*row.index, *before->index);
}

}  // namespace tandem
