#pragma once

// How the options of the command line are stored: the functions that option_table.cc names.

#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "server/daemon/options.h"
#include "server/http/http_server.h"

namespace tandem::option_setters {

using Argument = std::optional<std::string>;
using Failure = std::optional<std::string>;
using Context = Directories;

/// Setters of the common kinds, as entries of the table: one function per member.
template <auto Member>
Failure set_flag(Options& options, const Argument&, const Context&) {
  Member(options) = true;
  return std::nullopt;
}

template <auto Member>
Failure clear_flag(Options& options, const Argument&, const Context&) {
  Member(options) = false;
  return std::nullopt;
}

template <auto Member>
Failure store(Options& options, const Argument& argument, const Context&) {
  Member(options) = *argument;
  return std::nullopt;
}

template <auto Member>
Failure append(Options& options, const Argument& argument, const Context&) {
  Member(options).push_back(argument.value_or(""));
  return std::nullopt;
}

template <class T>
Failure read_number(const Argument& argument, T& number) {
  const char* const end = argument->data() + argument->size();
  const auto [stop, problem] = std::from_chars(argument->data(), end, number);
  if (problem == std::errc() && stop == end) return std::nullopt;
  return "\"" + *argument + "\" is not a valid number";
}

template <auto Member>
Failure store_number(Options& options, const Argument& argument, const Context&) {
  return read_number(argument, Member(options));
}

/// Bytes, or, with a K, M or G behind the number, so many KiB, MiB or GiB.
template <class T>
Failure read_bytes(const Argument& argument, T& bytes) {
  constexpr std::string_view kUnits = "KMG";
  std::string digits = *argument;
  const std::size_t unit = digits.empty() ? std::string_view::npos : kUnits.find(digits.back());
  const bool has_unit = unit != std::string_view::npos;
  if (has_unit) digits.pop_back();
  const std::size_t bits = has_unit ? 10 * (unit + 1) : 0;
  T number = 0;
  if (read_number(digits, number) || number > std::numeric_limits<T>::max() >> bits)
    return "\"" + *argument + "\" is not a valid number of bytes";
  bytes = number << bits;
  return std::nullopt;
}

template <auto Member>
Failure store_optional_bytes(Options& options, const Argument& argument, const Context&) {
  return read_bytes(argument, Member(options).emplace());
}

/// In units of `Unit`, of which there are at most as many as 32 bits count.
template <auto Member, std::int64_t Unit>
Failure store_time(Options& options, const Argument& argument, const Context&) {
  std::uint32_t number = 0;
  if (const Failure failure = read_number(argument, number)) return failure;
  Member(options) = number * Unit;
  return std::nullopt;
}

inline std::string not_positive(const Argument& argument) {
  return "\"" + *argument + "\" is not a positive number";
}

template <auto Member>
Failure store_limit(Options& options, const Argument& argument, const Context& context) {
  const Failure failure = store_number<Member>(options, argument, context);
  if (!failure && Member(options) > 0) return std::nullopt;
  return not_positive(argument);
}

template <auto Member>
Failure store_limit_of_bytes(Options& options, const Argument& argument, const Context&) {
  if (const Failure failure = read_bytes(argument, Member(options))) return failure;
  if (Member(options) > 0) return std::nullopt;
  return not_positive(argument);
}

inline Failure ignore(Options&, const Argument&, const Context&) { return std::nullopt; }

inline Failure refuse(Options&, const Argument&, const Context&) {
  return "not supported by this server";
}

template <Options::Action Action>
Failure set_action(Options& options, const Argument&, const Context&) {
  options.action = Action;
  return std::nullopt;
}

inline Failure set_unixctl(Options& options, const Argument& argument, const Context& context) {
  options.unixctl = *argument == "none" ? *argument : Directories::resolve(context.run, *argument);
  return std::nullopt;
}

inline std::string show_pidfile(Options&, const Context& context) {
  return context.run + "/ovsdb-server.pid";
}

inline Failure set_pidfile(Options& options, const Argument& argument, const Context& context) {
  options.daemon.pidfile =
      argument ? Directories::resolve(context.run, *argument) : show_pidfile(options, context);
  return std::nullopt;
}

inline std::string show_log_file(Options&, const Context& context) {
  return context.log + "/ovsdb-server.log";
}

inline Failure set_log_file(Options& options, const Argument& argument, const Context& context) {
  options.log.file =
      argument ? Directories::resolve(context.log, *argument) : show_log_file(options, context);
  return std::nullopt;
}

inline Failure set_config_file(Options& options, const Argument& argument, const Context& context) {
  options.config_file = Directories::resolve(context.sysconf, *argument);
  return std::nullopt;
}

inline Failure set_ca_cert(Options& options, const Argument& argument, const Context&) {
  options.tls.ca_cert = *argument;
  options.tls.bootstrap_ca_cert = false;
  return std::nullopt;
}

inline Failure set_bootstrap_ca_cert(Options& options, const Argument& argument, const Context&) {
  options.tls.ca_cert = *argument;
  options.tls.bootstrap_ca_cert = true;
  return std::nullopt;
}

inline Failure set_sync_fallback(Options& options, const Argument& argument, const Context&) {
  if (*argument != "async" && *argument != "block")
    return "\"" + *argument + "\" is neither \"async\" nor \"block\"";
  options.sync.fallback = *argument == "block" ? SyncFallback::kBlock : SyncFallback::kAsync;
  return std::nullopt;
}

inline Failure set_sync_peers(Options& options, const Argument& argument, const Context&) {
  Result<PeerList> peers = PeerList::parse(*argument);
  if (!peers) return peers.error().to_string();
  options.sync.peers = std::move(*peers);
  return std::nullopt;
}

inline Failure set_advertised_role(Options& options, const Argument& argument, const Context&) {
  const std::optional<AdvertisedRole> role = parse_advertised_role(*argument);
  if (!role) return no_advertised_role(*argument);
  options.sync.advertised_role = *role;
  return std::nullopt;
}

template <auto Member>
Failure store_address(Options& options, const Argument& argument, const Context&) {
  const Result<http::Endpoint> endpoint = http::parse_address(*argument);
  if (!endpoint) return endpoint.error().to_string();
  Member(options) = *endpoint;
  return std::nullopt;
}

inline Failure set_compact_every(Options& options, const Argument& argument, const Context&) {
  std::uint32_t seconds = 0;
  const char* const end = argument->data() + argument->size();
  const auto [stop, problem] = std::from_chars(argument->data(), end, seconds);
  if (problem != std::errc() || stop != end || seconds == 0)
    return "\"" + *argument + "\" is not a number of seconds from 1 to 4294967295";
  options.compaction.every = std::chrono::seconds(seconds);
  return std::nullopt;
}

inline Failure set_compact_window(Options& options, const Argument& argument, const Context&) {
  const Result<storage::DailyWindow> window = storage::DailyWindow::parse(*argument);
  if (!window) return window.error().to_string();
  options.compaction.window = *window;
  return std::nullopt;
}

/// A default, as --help shows it: what the member is when nothing is said.
template <auto Member>
std::string show(Options& options, const Context&) {
  return std::to_string(Member(options));
}

}  // namespace tandem::option_setters
