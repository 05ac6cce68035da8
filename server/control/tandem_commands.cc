#include "server/control/tandem_commands.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "server/control/position_json.h"

namespace tandem::control {

namespace {

/// How long a change of role may take before its command gives up; the change goes on.
constexpr std::int64_t kRoleChangeMs = 10'000;
constexpr double kWaitSyncedSeconds = 30;
constexpr std::int64_t kPollMs = 20;

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return number;
}

/// Seconds as a person writes them, in milliseconds.
std::optional<std::int64_t> parse_seconds(const std::string& text) {
  const std::optional<double> seconds = parse_number<double>(text);
  if (!seconds || !(*seconds >= 0) || *seconds > 1e6) return std::nullopt;
  return static_cast<std::int64_t>(*seconds * 1000);
}

/// Takes "--name VALUE" or "--name=VALUE" out of the arguments.
std::optional<std::string> take_option(Arguments& arguments, const std::string& name) {
  for (auto it = arguments.begin(); it != arguments.end(); ++it) {
    if (it->starts_with(name + "=")) {
      std::string value = it->substr(name.size() + 1);
      arguments.erase(it);
      return value;
    }
    if (*it == name && it + 1 != arguments.end()) {
      std::string value = *(it + 1);
      arguments.erase(it, it + 2);
      return value;
    }
  }
  return std::nullopt;
}

/// Takes "--format" out of the arguments; the error of one that is neither text nor json.
Result<bool> take_json_format(Arguments& arguments) {
  const std::optional<std::string> format = take_option(arguments, "--format");
  if (!format || *format == "text") return false;
  if (*format == "json") return true;
  return command_error(fmt::format("\"{}\" is neither \"text\" nor \"json\"", *format));
}

/// The one answer of a command that races against its own timeout.
class Answer {
 public:
  explicit Answer(Reply reply) : reply_(std::move(reply)) {}

  void give(const Result<void>& result) {
    give_text(result ? with_text("") : Result<std::string>(result.error()));
  }
  void give_text(const Result<std::string>& result) {
    if (std::exchange(given_, true)) return;
    if (result.has_error()) {
      reply_.error(result.error());
    } else {
      reply_.text(*result);
    }
  }
  bool given() const { return given_; }

 private:
  Reply reply_;
  bool given_ = false;
};

std::shared_ptr<Answer> answer_within(RoleControl& server, const Reply& reply, std::int64_t ms,
                                      const std::string& too_late) {
  auto answer = std::make_shared<Answer>(reply);
  server.call_later(ms, [answer, too_late] { answer->give(command_error(too_late)); });
  return answer;
}

// --- where things stand ---

std::string position_text(const Position& position) {
  return fmt::format("{} {} {}\n", static_cast<std::uint64_t>(position.epoch), position.index,
                     position.digest.to_string());
}

/// The databases that the user means: all, or the one named. Error if there is none of that name.
Result<std::vector<DatabaseStatus>> select_databases(const ServerStatus& status,
                                                     const Arguments& arguments) {
  if (arguments.empty()) return status.databases;
  for (const DatabaseStatus& database : status.databases) {
    if (database.name == arguments[0]) return std::vector<DatabaseStatus>{database};
  }
  return command_error("no database by that name");
}

void show_position(RoleControl& server, Arguments arguments, const Reply& reply) {
  const Result<bool> as_json = take_json_format(arguments);
  if (as_json.has_error()) return reply.error(as_json.error());
  const auto databases = select_databases(server.status(), arguments);
  if (databases.has_error()) return reply.error(databases.error());
  if (*as_json) {
    OrderedJson positions = OrderedJson::object();
    for (const DatabaseStatus& database : *databases)
      positions[database.name] = position_json(database.entry.position);
    return reply.text(to_text(positions) + "\n");
  }
  std::string out;
  for (const DatabaseStatus& database : *databases) {
    if (arguments.empty()) out += database.name + " ";
    out += position_text(database.entry.position);
  }
  reply.text(out);
}

void answer_history(RoleControl& server, const Arguments& arguments, bool as_json,
                    const Reply& reply) {
  const auto databases = select_databases(server.status(), arguments);
  if (databases.has_error()) return reply.error(databases.error());
  OrderedJson object = OrderedJson::object();
  std::string out;
  for (const DatabaseStatus& database : *databases) {
    const StatusBoard::Entry& entry = database.entry;
    object[database.name] = {{"from", position_json(entry.history_start)},
                             {"to", position_json(entry.position)},
                             {"commits", entry.history_commits},
                             {"bytes", entry.history_bytes}};
    out += fmt::format("{}: {} commits, {} bytes\n  from {}  to {}", database.name,
                       entry.history_commits, entry.history_bytes,
                       position_text(entry.history_start), position_text(entry.position));
  }
  reply.text(as_json ? to_text(object) + "\n" : out);
}

void show_history(RoleControl& server, Arguments arguments, const Reply& reply) {
  const Result<bool> as_json = take_json_format(arguments);
  if (as_json.has_error()) return reply.error(as_json.error());
  server.refresh([&server, arguments, json = *as_json, reply](bool) {
    answer_history(server, arguments, json, reply);
  });
}

void show_status(RoleControl& server, Arguments arguments, const Reply& reply) {
  const std::string format = take_option(arguments, "--format").value_or("text");
  if (format != "text" && format != "short" && format != "json")
    return reply.error(fmt::format("\"{}\" is none of \"text\", \"short\" and \"json\"", format));
  if (!arguments.empty()) return reply.error("unexpected argument " + arguments[0]);
  server.refresh([&server, format, reply](bool) {
    const ServerStatus status = server.status();
    reply.text(format == "json"    ? to_text(to_json(status)) + "\n"
               : format == "short" ? short_status_text(status)
                                   : status_text(status));
  });
}

// --- roles ---

void promote(RoleControl& server, Arguments arguments, const Reply& reply) {
  RoleControl::Promotion promotion;
  if (const std::optional<std::string> above = take_option(arguments, "--above")) {
    const auto epoch = parse_number<std::uint64_t>(*above);
    if (!epoch || *epoch > INT64_MAX / 2)
      return reply.error(fmt::format("\"{}\" is not a valid epoch", *above));
    promotion.above = Epoch{*epoch};
  }
  if (const std::optional<std::string> least = take_option(arguments, "--least")) {
    promotion.least = Height::parse(*least);
    if (!promotion.least)
      return reply.error(fmt::format("\"{}\" is not of the form EPOCH:INDEX", *least));
  }
  promotion.force = std::erase(arguments, "--force") > 0;
  promotion.give_up_damaged = std::erase(arguments, "--damaged") > 0;
  if (!arguments.empty()) return reply.error("unexpected argument " + arguments[0]);
  const auto answer =
      answer_within(server, reply, kRoleChangeMs,
                    fmt::format("not promoted within {} s; it goes on", kRoleChangeMs / 1000));
  server.promote(promotion, [answer](const Result<void>& result) { answer->give(result); });
}

void demote(RoleControl& server, Arguments arguments, const Reply& reply) {
  RoleControl::Demotion demotion;
  const std::string text = take_option(arguments, "--epoch").value_or("0");
  const auto least_epoch = parse_number<std::uint64_t>(text);
  if (!least_epoch) return reply.error(fmt::format("\"{}\" is not an epoch", text));
  demotion.least_epoch = Epoch{*least_epoch};
  demotion.successor = take_option(arguments, "--successor").value_or("");
  demotion.depose = std::erase(arguments, "--depose") > 0;
  demotion.if_drained = std::erase(arguments, "--if-drained") > 0;
  if (demotion.if_drained && demotion.successor.empty())
    return reply.error("--if-drained needs --successor");
  if (arguments.size() > 1) return reply.error("unexpected argument " + arguments[1]);
  if (!arguments.empty()) demotion.active = arguments[0];
  const auto answer =
      answer_within(server, reply, kRoleChangeMs,
                    fmt::format("not demoted within {} s; it goes on", kRoleChangeMs / 1000));
  server.demote(demotion,
                [answer](const Result<std::string>& result) { answer->give_text(result); });
}

void poll_synced(RoleControl& server, const std::shared_ptr<Answer>& answer) {
  if (answer->given()) return;
  server.refresh([&server, answer](bool fresh) {
    if (fresh && server.status().is_synced()) return answer->give({});
    server.call_later(kPollMs, [&server, answer] { poll_synced(server, answer); });
  });
}

void wait_synced(RoleControl& server, Arguments arguments, const Reply& reply) {
  const std::string text =
      take_option(arguments, "--timeout").value_or(fmt::format("{}", kWaitSyncedSeconds));
  const std::optional<std::int64_t> timeout_ms = parse_seconds(text);
  if (!timeout_ms) return reply.error(fmt::format("\"{}\" is not a time in seconds", text));
  if (!arguments.empty()) return reply.error("unexpected argument " + arguments[0]);
  const auto answer =
      answer_within(server, reply, *timeout_ms, fmt::format("not in sync within {} s", text));
  poll_synced(server, answer);
}

void set_sync(RoleControl& server, const Arguments& arguments, const Reply& reply) {
  SyncSettings settings = server.status().sync;
  if (!arguments.empty()) {
    const auto replicas = parse_number<unsigned>(arguments[0]);
    if (!replicas) return reply.error(fmt::format("\"{}\" is not a valid number", arguments[0]));
    settings.replicas = *replicas;
  }
  if (arguments.size() > 1) {
    const auto timeout = parse_number<unsigned>(arguments[1]);
    if (!timeout) return reply.error(fmt::format("\"{}\" is not a valid number", arguments[1]));
    settings.timeout_ms = *timeout;
  }
  if (arguments.size() > 2) {
    if (arguments[2] != "async" && arguments[2] != "block")
      return reply.error(fmt::format("\"{}\" is neither \"async\" nor \"block\"", arguments[2]));
    settings.block = arguments[2] == "block";
  }
  if (!arguments.empty()) {
    server.set_sync(settings);
    return reply.done();
  }
  reply.text(fmt::format("{} {} {}\n", settings.replicas, settings.timeout_ms,
                         settings.block ? "block" : "async"));
}

void give(const Reply& reply, const Result<void>& result) {
  if (result) return reply.done();
  reply.error(result.error());
}

void set_sync_peers(RoleControl& server, const Arguments& arguments, const Reply& reply) {
  if (arguments.empty()) return reply.text(server.status().sync_peers + "\n");
  give(reply, server.set_sync_peers(arguments[0]));
}

void node_name(RoleControl& server, const Arguments& arguments, const Reply& reply) {
  if (arguments.empty()) return reply.text(server.status().node_name + "\n");
  server.set_node_name(arguments[0]);
  reply.done();
}

void advertise_role(RoleControl& server, const Arguments& arguments, const Reply& reply) {
  if (arguments.empty())
    return reply.text(fmt::format("{}\n", to_string(server.status().advertised_role)));
  const std::optional<AdvertisedRole> role = parse_advertised_role(arguments[0]);
  if (!role) return reply.error(no_advertised_role(arguments[0]));
  server.set_advertised_role(*role);
  reply.done();
}

void lease(RoleControl& server, Arguments arguments, const Reply& reply) {
  std::optional<Epoch> epoch;
  if (const std::optional<std::string> text = take_option(arguments, "--epoch")) {
    const auto number = parse_number<std::uint64_t>(*text);
    if (!number) return reply.error(fmt::format("\"{}\" is not an epoch", *text));
    epoch = Epoch{*number};
  }
  if (arguments.size() > 1) return reply.error("unexpected argument " + arguments[1]);
  if (arguments.empty()) {
    const ServerStatus status = server.status();
    const auto deadline = status.lease.deadline_ms();
    if (!deadline) return reply.text("off\n");
    return reply.text(fmt::format(
        "{:.3f}\n", std::max(0.0, static_cast<double>(*deadline - status.now_ms) / 1000)));
  }
  if (arguments[0] == "off") return give(reply, server.disarm_lease());
  const std::optional<std::int64_t> length_ms = parse_seconds(arguments[0]);
  if (!length_ms || *length_ms == 0)
    return reply.error(
        fmt::format("\"{}\" is neither a time in seconds nor \"off\"", arguments[0]));
  give(reply, server.renew_lease(*length_ms, epoch));
}

}  // namespace

void add_tandem_commands(CommandRegistry& registry, RoleControl& server) {
  const auto add = [&](const char* name, const char* usage, std::size_t most, auto* command) {
    registry.add(name, usage, 0, most,
                 [&server, command](const Arguments& arguments, const Reply& reply) {
                   command(server, arguments, reply);
                 });
  };
  add("tandem/status", "[--format text|short|json]", 2, show_status);
  add("tandem/position", "[DB] [--format text|json]", 3, show_position);
  add("tandem/history", "[DB] [--format text|json]", 3, show_history);
  add("tandem/promote", "[--force] [--damaged] [--above EPOCH] [--least EPOCH:INDEX]", 6, promote);
  add("tandem/demote", "[REMOTE] [--epoch E] [--depose] [--successor NODE [--if-drained]]", 7,
      demote);
  add("tandem/wait-synced", "[--timeout SECONDS]", 2, wait_synced);
  add("tandem/sync-replicas", "[N [TIMEOUT_MS [async|block]]]", 3, set_sync);
  add("tandem/sync-peers", "[NAME,...|any]", 1, set_sync_peers);
  add("tandem/node-name", "[NAME]", 1, node_name);
  add("tandem/advertise-role", "[none|leader|connected]", 1, advertise_role);
  add("tandem/lease", "[SECONDS|off] [--epoch E]", 3, lease);
}

}  // namespace tandem::control
