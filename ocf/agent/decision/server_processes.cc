// How servers are started, stopped and killed.

#include <fmt/core.h>

#include "ocf/agent/decision/servers.h"

namespace tandem::agent {

namespace {

constexpr std::int64_t kDeathMs = 5'000;
constexpr std::int64_t kExitMs = 6'000;

}  // namespace

std::vector<std::string> Servers::start_words(Which which, const std::string& active) const {
  const Settings& settings = desk_.settings();
  const Settings::Database& database = settings.databases[which];
  const std::string name = name_of(which);
  std::vector<std::string> words = {
      fmt::format("--db-{}-sync-from-addr={}", name, settings.address_of_active(active)),
      fmt::format("--db-{}-sync-from-port={}", name, database.port),
      fmt::format("--db-{}-sync-from-proto={}", name, database.protocol),
      fmt::format("--db-{}-probe-interval-to-active={}", name,
                  settings.probe_interval_to_active_ms),
      fmt::format("--db-{}-create-insecure-remote=no", name),
      fmt::format("--db-{}-use-remote-in-db=no", name)};
  const auto add_file = [&](const char* option, const std::string& file) {
    if (!file.empty()) words.push_back(fmt::format("--ovn-{}-db-ssl-{}={}", name, option, file));
  };
  add_file("key", database.private_key);
  add_file("cert", database.certificate);
  add_file("ca-cert", database.ca_certificate);
  words.push_back(fmt::format("start_{}_ovsdb", name));
  if (!settings.tandem) return words;
  // Once more by name: where commits wait for backups without end, the Connection row can only be
  // written when backups have found a listener.
  words.emplace_back("--");
  words.push_back("--active-remote=" + settings.connections_remote(which));
  words.push_back("--active-remote=" + settings.connection_target(which));
  if (!settings.node_addresses.empty() && settings.listen_on_master_ip_only) {
    words.push_back(fmt::format("--active-remote=p{}:{}:{}", database.protocol, database.port,
                                settings.address_of_active(desk_.order.node)));
  }
  if (!settings.has_server_option("--sync-replicas"))
    words.push_back(fmt::format("--sync-replicas={}", settings.sync_replicas));
  if (!settings.has_server_option("--sync-"))
    words.push_back("--sync-fallback=" + settings.sync_fallback);
  // Not the default, which older servers have without knowing the option.
  if (settings.advertise_role != "none")
    words.push_back("--advertise-role=" + settings.advertise_role);
  if (!desk_.order.node.empty()) words.push_back("--node-name=" + desk_.order.node);
  if (!database.http.empty()) words.push_back("--http=" + database.http);
  words.insert(words.end(), settings.server_options.begin(), settings.server_options.end());
  return words;
}

/// How far its copy goes is known only when it runs: until then it follows nobody, since it may be
/// of a later promotion than that active.
Task<bool> Servers::start(Which which, std::string active, const Bulletin& bulletin,
                          std::int64_t limit_ms) {
  desk_.memory.stock[which] = false;
  const bool looks_first = desk_.settings().tandem && !active.empty();
  std::vector<std::string> words = start_words(which, looks_first ? std::string() : active);
  const Answer answer = co_await desk_.ask(StartServer{which, std::move(words)}, limit_ms);
  if (!answer.done()) {
    desk_.reason(fmt::format("{} server did not start: {}", name_of(which),
                             answer.text.empty() ? "no end in time" : answer.text));
    co_return false;
  }
  if (looks_first) {
    co_await probe(which);
    co_await follow_one(which, active, &bulletin);
  }
  co_return true;
}

Task<bool> Servers::restart(Which which, std::string active, const Bulletin& bulletin,
                            std::int64_t limit_ms) {
  co_await kill(which);
  co_return co_await start(which, active, bulletin, limit_ms);
}

Task<> Servers::kill(Which which) { (void)co_await desk_.insist(KillServer{which}, kDeathMs); }

Task<bool> Servers::stop_both() {
  Pair<bool> stopped;
  co_await for_both([&](Which which) { return into(stop(which), &stopped[which]); });
  co_return stopped[Which::kNb] && stopped[Which::kSb];
}

/// The control socket needs no pid, so a server without a pidfile ends, too. A server that still
/// runs in the end is a failure.
Task<bool> Servers::stop(Which which) {
  const Answer asked =
      co_await desk_.ask(command(which, "exit"), desk_.settings().control_timeout_ms);
  if (asked.done()) {
    const Answer ended = co_await desk_.ask(AwaitServerEnd{which}, kExitMs);
    if (ended.done()) co_return true;
  }
  const Answer process = co_await desk_.insist(LookAtServer{which}, 1000);
  if (process.outcome == Answer::Outcome::kNotThere && asked.outcome == Answer::Outcome::kNotThere)
    co_return true;
  desk_.warn(fmt::format("{} server does not end: killing it", name_of(which)));
  const Answer killed = co_await desk_.insist(KillServer{which}, kDeathMs);
  co_return killed.done();
}

}  // namespace tandem::agent
