#include "server/ctl/invocation.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tandem::ctl {

namespace {

constexpr std::array<std::string_view, 8> kShortCommands = {
    "status", "position", "history", "promote", "demote", "wait-synced", "sync-replicas", "lease"};

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

std::optional<Error> set_timeout(Invocation& invocation, const std::string& text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, seconds);
  if (problem != std::errc() || stop != end || !(seconds > 0) || seconds > 1e6) {
    return failure(fmt::format("\"{}\" is not a timeout in seconds", text));
  }
  invocation.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  return std::nullopt;
}

}  // namespace

Result<Invocation> parse_invocation(const std::vector<std::string>& arguments) {
  Invocation invocation;
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
  if (std::find(kShortCommands.begin(), kShortCommands.end(), invocation.command) !=
      kShortCommands.end()) {
    if (invocation.command == "status")
      invocation.watch = std::erase(invocation.arguments, "--watch") > 0;
    invocation.command = "tandem/" + invocation.command;
  }
  return invocation;
}

std::string usage() {
  return R"(tandem-ctl: asks and controls a running tandem-server
usage: tandem-ctl [-t TARGET] [-T SECONDS] COMMAND [ARG...]

Commands:
  status [--watch] [--format json]  role, replication, lag; --watch: every second
  position [DB] [--format json]     how far each database is
  history [DB] [--format json]      what is kept for backups and clients to resume from
  promote [--force] [--damaged]     become the active server
  demote [REMOTE]                   become a backup, of REMOTE
  wait-synced [--timeout SECONDS]   wait until backups have everything, or a backup has
  sync-replicas [N [MS [async|block]]]
                                    how many backups must have a commit before its reply
  lease [SECONDS|off]               be active only for so long, unless renewed
  list-commands                     all commands that the server knows
Any other COMMAND is sent as it is, like ovs-appctl does.

Options:
  -t, --target=TARGET     control socket, pidfile, or name of a pidfile in the
                          run directory (default: ovsdb-server)
  -T, --timeout=SECONDS   give up after that time (default: 5)
  -h, --help              print this
  -V, --version           print the version
)";
}

}  // namespace tandem::ctl
