#include "server/ctl/invocation.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tandem::ctl {

namespace {

/// A command that has a shorter name here than at the server.
struct ShortCommand {
  std::string_view name;
  bool everywhere = false;  ///< changes nothing, so it may be for all servers
  bool is_report = false;   ///< may be in JSON, and be watched
  int seconds = 0;          ///< that the server may take for it; 0: no time to speak of
};

constexpr std::array kShortCommands = {ShortCommand{"status", true, true},
                                       ShortCommand{"position", true, true},
                                       ShortCommand{"history", true, true},
                                       ShortCommand{"sessions", true, true},
                                       ShortCommand{"wait-synced", true, false, 30},
                                       ShortCommand{"promote", false, false, 10},
                                       ShortCommand{"demote", false, false, 10},
                                       ShortCommand{"sync-replicas"},
                                       ShortCommand{"sync-peers"},
                                       ShortCommand{"node-name"},
                                       ShortCommand{"advertise-role"},
                                       ShortCommand{"lease"}};

Error failure(std::string text) { return Error{std::move(text), "", std::nullopt}; }

/// Gives out the arguments one by one.
struct Cursor {
  const std::vector<std::string>& arguments;
  std::size_t next = 0;

  /// The value of an option "-xVALUE", "--name=VALUE", or the following argument; nothing if
  /// `argument` is not this option.
  std::optional<Result<std::string>> value_of(std::string_view argument, std::string_view letter,
                                              std::string_view name) {
    const auto some = [](std::string_view text) {
      return Result<std::string>(boost::system::in_place_value, std::string(text));
    };
    if (argument.starts_with(name) && argument.substr(name.size()).starts_with('=')) {
      return some(argument.substr(name.size() + 1));
    }
    if (argument == name || argument == letter) {
      if (next == arguments.size())
        return Result<std::string>(failure(fmt::format("{} requires an argument", argument)));
      return some(arguments[next++]);
    }
    if (argument.starts_with(letter) && !argument.starts_with("--"))
      return some(argument.substr(letter.size()));
    return std::nullopt;
  }
};

/// Reads a time in seconds; nothing if it is none.
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, seconds);
  if (problem != std::errc() || stop != end || !(seconds > 0) || seconds > 1e6) return std::nullopt;
  const std::chrono::milliseconds time(static_cast<std::int64_t>(seconds * 1000));
  return std::max(time, std::chrono::milliseconds(1));
}

std::optional<Error> set_timeout(Invocation& invocation, const std::string& text) {
  const auto timeout = parse_seconds(text);
  if (!timeout) return failure(fmt::format("\"{}\" is not a timeout in seconds", text));
  invocation.timeout = *timeout;
  return std::nullopt;
}

/// Takes "--json" and "--format json" out of the arguments; other formats are the server's.
void take_json(Invocation& invocation) {
  std::vector<std::string>& arguments = invocation.arguments;
  invocation.json = std::erase_if(arguments, [](const std::string& argument) {
                      return argument == "--json" || argument == "--format=json";
                    }) > 0;
  const auto pair = std::adjacent_find(
      arguments.begin(), arguments.end(),
      [](const std::string& a, const std::string& b) { return a == "--format" && b == "json"; });
  if (pair == arguments.end()) return;
  arguments.erase(pair, pair + 2);
  invocation.json = true;
}

std::optional<Error> take_watch(Invocation& invocation) {
  constexpr std::string_view kWatch = "--watch";
  std::vector<std::string>& arguments = invocation.arguments;
  const auto option =
      std::find_if(arguments.begin(), arguments.end(), [&](const std::string& argument) {
        return argument == kWatch || argument.starts_with("--watch=");
      });
  if (option == arguments.end()) return std::nullopt;
  std::string_view every = *option == kWatch ? "1" : std::string_view(*option);
  if (*option != kWatch) every.remove_prefix(kWatch.size() + 1);
  invocation.watch = parse_seconds(every);
  if (!invocation.watch) return failure(fmt::format("\"{}\" is not a time in seconds", every));
  arguments.erase(option);
  return std::nullopt;
}

std::optional<Error> take_cluster(Invocation& invocation) {
  std::vector<std::string>& arguments = invocation.arguments;
  invocation.cluster = std::erase(arguments, "--cluster") > 0;
  if (!invocation.cluster) return std::nullopt;
  if (invocation.target) return failure("--cluster takes its servers as arguments, without -t");
  for (const std::string& argument : arguments) {
    if (argument.starts_with('-'))
      return failure(fmt::format("unrecognized option '{}' of status --cluster", argument));
  }
  return std::nullopt;
}

/// How long the server may take for it.
std::chrono::milliseconds time_of(const ShortCommand& command,
                                  const std::vector<std::string>& arguments) {
  constexpr std::string_view kTimeout = "--timeout";
  std::chrono::milliseconds time = std::chrono::seconds(command.seconds);
  if (command.name != "wait-synced") return time;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view value = arguments[i];
    if (value == kTimeout && i + 1 < arguments.size()) {
      value = arguments[i + 1];
    } else if (value.starts_with(kTimeout) && value.substr(kTimeout.size()).starts_with('=')) {
      value.remove_prefix(kTimeout.size() + 1);
    } else {
      continue;
    }
    time = parse_seconds(value).value_or(time);
  }
  return time;
}

std::optional<Error> read_command(Invocation& invocation, bool timeout_given) {
  invocation.name = invocation.command;
  const auto* const known =
      std::find_if(kShortCommands.begin(), kShortCommands.end(),
                   [&](const ShortCommand& command) { return command.name == invocation.command; });
  if (known == kShortCommands.end()) return std::nullopt;
  invocation.command = "tandem/" + invocation.command;
  invocation.everywhere = known->everywhere;
  if (!timeout_given) invocation.timeout += time_of(*known, invocation.arguments);
  if (!known->is_report) return std::nullopt;
  take_json(invocation);
  if (auto error = take_watch(invocation)) return error;
  return known->name == "status" ? take_cluster(invocation) : std::nullopt;
}

}  // namespace

std::vector<std::string> Invocation::server_arguments() const {
  std::vector<std::string> all = arguments;
  if (json) all.insert(all.end(), {"--format", "json"});
  return all;
}

Result<Invocation> parse_invocation(const std::vector<std::string>& arguments) {
  Invocation invocation;
  bool timeout_given = false;
  Cursor cursor{arguments};
  while (cursor.next < arguments.size() && invocation.command.empty()) {
    const std::string& argument = arguments[cursor.next++];
    if (argument == "-h" || argument == "--help") {
      invocation.help = true;
    } else if (argument == "-V" || argument == "--version") {
      invocation.version = true;
    } else if (const auto target = cursor.value_of(argument, "-t", "--target")) {
      if (target->has_error()) return target->error();
      invocation.target = **target;
    } else if (const auto timeout = cursor.value_of(argument, "-T", "--timeout")) {
      if (timeout->has_error()) return timeout->error();
      if (auto error = set_timeout(invocation, **timeout)) return *error;
      timeout_given = true;
    } else if (argument.starts_with('-')) {
      return failure(fmt::format("unrecognized option '{}'", argument));
    } else {
      invocation.command = argument;
    }
  }
  invocation.arguments.assign(arguments.begin() + static_cast<std::ptrdiff_t>(cursor.next),
                              arguments.end());
  if (invocation.help || invocation.version) return invocation;
  if (invocation.command.empty())
    return failure("at least one non-option argument is required (use --help for help)");
  if (auto error = read_command(invocation, timeout_given)) return *error;
  return invocation;
}

}  // namespace tandem::ctl
