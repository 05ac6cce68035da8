#include "server/daemon/option_table.h"

#include <array>
#include <charconv>
#include <chrono>

#include "server/control/http_status.h"

namespace tandem {

namespace {

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

template <auto Member>
Failure store_optional_number(Options& options, const Argument& argument, const Context&) {
  return read_number(argument, Member(options).emplace());
}

/// In units of `Unit`, of which there are at most as many as 32 bits count.
template <auto Member, std::int64_t Unit>
Failure store_time(Options& options, const Argument& argument, const Context&) {
  std::uint32_t number = 0;
  if (const Failure failure = read_number(argument, number)) return failure;
  Member(options) = number * Unit;
  return std::nullopt;
}

template <auto Member>
Failure store_limit(Options& options, const Argument& argument, const Context& context) {
  const Failure failure = store_number<Member>(options, argument, context);
  if (!failure && Member(options) > 0) return std::nullopt;
  return "\"" + *argument + "\" is not a positive number";
}

Failure ignore(Options&, const Argument&, const Context&) { return std::nullopt; }

Failure refuse(Options&, const Argument&, const Context&) { return "not supported by this server"; }

Failure set_ca_cert(Options& options, const Argument& argument, bool bootstrap) {
  options.tls.ca_cert = *argument;
  options.tls.bootstrap_ca_cert = bootstrap;
  return std::nullopt;
}

Failure set_sync_fallback(Options& options, const Argument& argument, const Context&) {
  if (*argument != "async" && *argument != "block")
    return "\"" + *argument + "\" is neither \"async\" nor \"block\"";
  options.sync.fallback = *argument == "block" ? SyncFallback::kBlock : SyncFallback::kAsync;
  return std::nullopt;
}

Failure set_sync_peers(Options& options, const Argument& argument, const Context&) {
  Result<PeerList> peers = PeerList::parse(*argument);
  if (!peers) return peers.error().to_string();
  options.sync.peers = std::move(*peers);
  return std::nullopt;
}

Failure set_advertised_role(Options& options, const Argument& argument, const Context&) {
  const std::optional<AdvertisedRole> role = parse_advertised_role(*argument);
  if (!role) return no_advertised_role(*argument);
  options.sync.advertised_role = *role;
  return std::nullopt;
}

Failure set_http(Options& options, const Argument& argument, const Context&) {
  const Result<control::HttpStatus::Endpoint> endpoint =
      control::HttpStatus::parse_address(*argument);
  if (!endpoint) return endpoint.error().to_string();
  options.http = *endpoint;
  return std::nullopt;
}

Failure set_compact_every(Options& options, const Argument& argument, const Context&) {
  std::uint32_t seconds = 0;
  const char* const end = argument->data() + argument->size();
  const auto [stop, problem] = std::from_chars(argument->data(), end, seconds);
  if (problem != std::errc() || stop != end || seconds == 0)
    return "\"" + *argument + "\" is not a number of seconds from 1 to 4294967295";
  options.compaction.every = std::chrono::seconds(seconds);
  return std::nullopt;
}

Failure set_compact_window(Options& options, const Argument& argument, const Context&) {
  const Result<storage::DailyWindow> window = storage::DailyWindow::parse(*argument);
  if (!window) return window.error().to_string();
  options.compaction.window = *window;
  return std::nullopt;
}

/// Lets the table name a member: a captureless lambda that finds it.
#define TANDEM_MEMBER(path) ([](Options & o) -> auto& { return o.path; })

constexpr auto kNone = OptionEntry::Argument::kNone;
constexpr auto kRequired = OptionEntry::Argument::kRequired;
constexpr auto kOptional = OptionEntry::Argument::kOptional;

constexpr std::array kTable = {
    OptionEntry{"remote", 0, kRequired, false, append<TANDEM_MEMBER(remotes)>},
    OptionEntry{"unixctl", 0, kRequired, false,
                [](Options& o, const Argument& a, const Context& c) -> Failure {
                  o.unixctl = *a == "none" ? *a : Directories::resolve(c.run, *a);
                  return std::nullopt;
                }},
    OptionEntry{"run", 0, kRequired, false, store<TANDEM_MEMBER(run_command)>},
    OptionEntry{"help", 'h', kNone, false,
                [](Options& o, const Argument&, const Context&) -> Failure {
                  o.action = Options::Action::kHelp;
                  return std::nullopt;
                }},
    OptionEntry{"version", 'V', kNone, false,
                [](Options& o, const Argument&, const Context&) -> Failure {
                  o.action = Options::Action::kVersion;
                  return std::nullopt;
                }},
    OptionEntry{"detach", 0, kNone, false, set_flag<TANDEM_MEMBER(daemon.detach)>},
    OptionEntry{"no-self-confinement", 0, kNone, false, ignore},
    OptionEntry{"no-chdir", 0, kNone, false, clear_flag<TANDEM_MEMBER(daemon.chdir)>},
    OptionEntry{"pidfile", 0, kOptional, false,
                [](Options& o, const Argument& a, const Context& c) -> Failure {
                  o.daemon.pidfile = Directories::resolve(c.run, a.value_or("ovsdb-server.pid"));
                  return std::nullopt;
                }},
    OptionEntry{"overwrite-pidfile", 0, kNone, false,
                set_flag<TANDEM_MEMBER(daemon.overwrite_pidfile)>},
    OptionEntry{"monitor", 0, kNone, false, set_flag<TANDEM_MEMBER(daemon.monitor)>},
    OptionEntry{"user", 0, kRequired, false, store<TANDEM_MEMBER(daemon.user)>},
    OptionEntry{"verbose", 'v', kOptional, false, append<TANDEM_MEMBER(log.specs)>},
    OptionEntry{"log-file", 0, kOptional, false,
                [](Options& o, const Argument& a, const Context& c) -> Failure {
                  o.log.file = a ? Directories::resolve(c.log, *a) : c.log + "/ovsdb-server.log";
                  return std::nullopt;
                }},
    OptionEntry{"syslog-target", 0, kRequired, false, store<TANDEM_MEMBER(log.syslog_target)>},
    OptionEntry{"syslog-method", 0, kRequired, false, store<TANDEM_MEMBER(log.syslog_method)>},
    OptionEntry{
        "bootstrap-ca-cert", 0, kRequired, false,
        [](Options& o, const Argument& a, const Context&) { return set_ca_cert(o, a, true); }},
    OptionEntry{"peer-ca-cert", 0, kRequired, false, store<TANDEM_MEMBER(tls.peer_ca_cert)>},
    OptionEntry{"private-key", 'p', kRequired, false, store<TANDEM_MEMBER(tls.private_key)>},
    OptionEntry{"certificate", 'c', kRequired, false, store<TANDEM_MEMBER(tls.certificate)>},
    OptionEntry{
        "ca-cert", 'C', kRequired, false,
        [](Options& o, const Argument& a, const Context&) { return set_ca_cert(o, a, false); }},
    OptionEntry{"ssl-protocols", 0, kRequired, false, store<TANDEM_MEMBER(tls.protocols)>},
    OptionEntry{"ssl-ciphers", 0, kRequired, false, store<TANDEM_MEMBER(tls.ciphers)>},
    OptionEntry{"ssl-ciphersuites", 0, kRequired, false, store<TANDEM_MEMBER(tls.ciphersuites)>},
    OptionEntry{"record", 0, kOptional, false, refuse},
    OptionEntry{"replay", 0, kOptional, false, refuse},
    OptionEntry{"sync-from", 0, kRequired, false, store<TANDEM_MEMBER(sync.from)>},
    OptionEntry{"sync-exclude-tables", 0, kRequired, false,
                store<TANDEM_MEMBER(sync.exclude_tables)>},
    OptionEntry{"active", 0, kNone, false, set_flag<TANDEM_MEMBER(sync.active)>},
    OptionEntry{"no-dbs", 0, kNone, false, ignore},  // parse_options() looks for it
    OptionEntry{"config-file", 0, kRequired, false,
                [](Options& o, const Argument& a, const Context& c) -> Failure {
                  o.config_file = Directories::resolve(c.sysconf, *a);
                  return std::nullopt;
                }},
    OptionEntry{"disable-file-column-diff", 0, kNone, false,
                clear_flag<TANDEM_MEMBER(file_column_diff)>},
    // Those of newer servers than 3.1, whose prefixes are still unambiguous.
    OptionEntry{"ssl-server-name", 0, kRequired, true, store<TANDEM_MEMBER(tls.server_name)>},
    OptionEntry{"disable-file-no-data-conversion", 0, kNone, true, ignore},  // data always follow
    OptionEntry{"threads", 0, kRequired, true, store_number<TANDEM_MEMBER(threads)>},
    OptionEntry{"history-size", 0, kRequired, true,
                store_optional_number<TANDEM_MEMBER(history_bytes)>},
    OptionEntry{"sync-replicas", 0, kRequired, true, store_number<TANDEM_MEMBER(sync.replicas)>},
    OptionEntry{"sync-timeout", 0, kRequired, true, store_number<TANDEM_MEMBER(sync.timeout_ms)>},
    OptionEntry{"sync-fallback", 0, kRequired, true, set_sync_fallback},
    OptionEntry{"sync-peers", 0, kRequired, true, set_sync_peers},
    OptionEntry{"sync-schema", 0, kNone, true, set_flag<TANDEM_MEMBER(sync.schema)>},
    OptionEntry{"node-name", 0, kRequired, true, store<TANDEM_MEMBER(sync.node_name)>},
    OptionEntry{"advertise-role", 0, kRequired, true, set_advertised_role},
    OptionEntry{"active-remote", 0, kRequired, true, append<TANDEM_MEMBER(active_remotes)>},
    OptionEntry{"inactivity-probe", 0, kRequired, true,
                store_time<TANDEM_MEMBER(remote_defaults.inactivity_probe_ms), 1>},
    OptionEntry{"tcp-keepalive", 0, kRequired, true,
                store_time<TANDEM_MEMBER(remote_defaults.keepalive_ms), 1000>},
    OptionEntry{"compact-every", 0, kRequired, true, set_compact_every},
    OptionEntry{"compact-window", 0, kRequired, true, set_compact_window},
    OptionEntry{"max-requests", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.requests)>},
    OptionEntry{"max-unsent", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.unsent_bytes)>},
    OptionEntry{"max-monitors", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.monitors)>},
    OptionEntry{"max-clauses", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.clauses)>},
    OptionEntry{"max-locks", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.locks)>},
    OptionEntry{"max-waits", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.waits)>},
    OptionEntry{"max-kept", 0, kRequired, true, store_limit<TANDEM_MEMBER(limits.kept_bytes)>},
    OptionEntry{"max-message-size", 0, kRequired, true,
                store_limit<TANDEM_MEMBER(limits.message_bytes)>},
    OptionEntry{"max-first-message-size", 0, kRequired, true,
                store_limit<TANDEM_MEMBER(limits.first_message_bytes)>},
    OptionEntry{"http", 0, kRequired, true, set_http},
};

#undef TANDEM_MEMBER

}  // namespace

std::span<const OptionEntry> option_table() { return kTable; }

}  // namespace tandem
