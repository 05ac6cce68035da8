#include "server/daemon/options.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "server/daemon/option_table.h"

namespace tandem {
namespace {

const Directories kDirectories{"/run", "/log", "/etc", "/db"};

Options parse(const std::vector<std::string>& arguments) {
  auto options = parse_options(arguments, kDirectories);
  REQUIRE(options.has_value());
  return *options;
}

std::string error(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments, kDirectories);
  REQUIRE(options.has_error());
  return options.error().tag;
}

TEST_CASE("without arguments the default database is served") {
  CHECK(parse({}).databases == std::vector<std::string>{"/db/conf.db"});
  CHECK(parse({"--no-dbs"}).databases.empty());
  CHECK(parse({"a", "--no-dbs"}).databases == std::vector<std::string>{"a"});
}

TEST_CASE("options may follow positional arguments, with their value behind = or apart") {
  const Options options =
      parse({"db", "--remote", "punix:s", "--run=true", "--remote=ptcp:1", "--", "--x"});
  CHECK(options.databases == std::vector<std::string>{"db", "--x"});
  CHECK(options.remotes == std::vector<std::string>{"punix:s", "ptcp:1"});
  CHECK(options.run_command == "true");
}

TEST_CASE("an unambiguous prefix stands for its option") {
  CHECK(parse({"--no-db", "--overwrite"}).daemon.overwrite_pidfile);
  CHECK(parse({"--sync-exclude=a:b"}).sync.exclude_tables == "a:b");
}

TEST_CASE("Tandem's own options make no prefix ambiguous that was not") {
  CHECK(parse({"--sync-f=tcp:x"}).sync.from == "tcp:x");
  CHECK(parse({"--act"}).sync.active);
  CHECK(parse({"--h"}).action == Options::Action::kHelp);
  CHECK(parse({"--sync-rep=2"}).sync.replicas == 2);
}

TEST_CASE("limits of clients are positive numbers") {
  const Options options = parse({"--max-requests=7", "--max-message-size", "1000", "--max-w=3"});
  CHECK(options.limits.requests == 7);
  CHECK(options.limits.message_bytes == 1000);
  CHECK(options.limits.waits == 3);
  CHECK(error({"--max-monitors=0"}) == "--max-monitors: \"0\" is not a positive number");
  CHECK(error({"--max-locks=-1"}) == "--max-locks: \"-1\" is not a positive number");
  CHECK(error({"--max-clauses=many"}) == "--max-clauses: \"many\" is not a positive number");
  CHECK(parse({"--m"}).daemon.monitor);
}

TEST_CASE("bytes may be counted in KiB, MiB and GiB") {
  CHECK(parse({"--history-size=64M"}).history_bytes == 64U << 20);
  const Options options = parse({"--max-message-size=1G", "--max-kept=3K", "--max-unsent=5"});
  CHECK(options.limits.message_bytes == 1U << 30);
  CHECK(options.limits.kept_bytes == 3072);
  CHECK(options.limits.unsent_bytes == 5);
  for (const std::string size : {"", "M", "1T", "1KB", "-1K", "17179869184G", "1 M"})
    CHECK(error({"--history-size=" + size}) ==
          "--history-size: \"" + size + "\" is not a valid number of bytes");
  CHECK(error({"--max-kept=0K"}) == "--max-kept: \"0K\" is not a positive number");
}

TEST_CASE("compaction has an interval and a part of the day") {
  using namespace std::chrono_literals;
  CHECK(!parse({}).compaction.every);
  CHECK(!parse({}).compaction.window);
  const Options options = parse({"--compact-every=3600", "--compact-window", "22:00-04:30"});
  CHECK(options.compaction.every == 1h);
  CHECK(options.compaction.window->contains(4h + 29min));
  CHECK(!options.compaction.window->contains(5h));
  for (const std::string seconds : {"0", "1h", "-5", "", "4294967296"}) {
    CHECK(error({"--compact-every=" + seconds}) ==
          "--compact-every: \"" + seconds + "\" is not a number of seconds from 1 to 4294967295");
  }
  CHECK(error({"--compact-window=22-4"}) ==
        "--compact-window: \"22-4\" is not of the form HH:MM-HH:MM");
  CHECK(error({"--compact-window=04:00-04:00"}) ==
        "--compact-window: \"04:00-04:00\" ends when it begins");
  CHECK(parse({"--co=/x"}).config_file == "/x");
}

TEST_CASE("files are absolute, each in its own directory") {
  const Options options = parse({"--pidfile", "--log-file", "--unixctl=u.ctl", "--config-file=/x"});
  CHECK(options.daemon.pidfile == "/run/ovsdb-server.pid");
  CHECK(options.log.file == "/log/ovsdb-server.log");
  CHECK(options.unixctl == "/run/u.ctl");
  CHECK(options.config_file == "/x");
  CHECK(parse({"--pidfile=p", "--log-file=l", "--unixctl=none"}).log.file == "/log/l");
  CHECK(parse({"--unixctl=none"}).unixctl == "none");
}

TEST_CASE("-v takes its spec with or without one") {
  const Options options = parse({"-vraft:dbg", "-v", "--verbose", "--verbose=console:off"});
  CHECK(options.log.specs == std::vector<std::string>{"raft:dbg", "", "", "console:off"});
}

TEST_CASE("short options cluster and take arguments") {
  CHECK(parse({"-p", "key", "-cCERT"}).tls.private_key == "key");
  CHECK(parse({"-cCERT"}).tls.certificate == "CERT");
  CHECK(parse({"-Vh"}).action == Options::Action::kVersion);
}

TEST_CASE("the later of --ca-cert and --bootstrap-ca-cert holds") {
  CHECK(parse({"--bootstrap-ca-cert=x"}).tls.bootstrap_ca_cert);
  CHECK(!parse({"--bootstrap-ca-cert=x", "-C", "y"}).tls.bootstrap_ca_cert);
}

TEST_CASE("Tandem's own options are read") {
  const Options options = parse(
      {"--threads=3", "--history-size=1000", "--sync-replicas=1", "--sync-timeout=250",
       "--sync-fallback=block", "--sync-schema", "--advertise-role=leader", "--sync-peers=b,a",
       "--active-remote=ptcp:1", "--active-remote=ptcp:2", "--http=127.0.0.1:80",
       "--inactivity-probe=0", "--tcp-keepalive=60", "--ssl-server-name=x"});
  CHECK(options.threads == 3);
  CHECK(options.history_bytes == 1000);
  CHECK(options.sync.timeout_ms == 250);
  CHECK(options.sync.fallback == SyncFallback::kBlock);
  CHECK(options.sync.schema);
  CHECK(options.sync.peers.to_string() == "a,b");
  CHECK(options.active_remotes.size() == 2);
  REQUIRE(options.http);
  CHECK(options.http->address().to_string() == "127.0.0.1");
  CHECK(options.http->port() == 80);
  CHECK(options.remote_defaults.inactivity_probe_ms == 0);
  CHECK(options.remote_defaults.keepalive_ms == 60'000);
  CHECK(options.tls.server_name == "x");
}

TEST_CASE("mistakes are named as getopt_long names them") {
  CHECK(error({"--bogus"}) == "unrecognized option '--bogus'");
  CHECK(
      error({"--no"}) ==
      "option '--no' is ambiguous; possibilities: '--no-self-confinement' '--no-chdir' '--no-dbs'");
  CHECK(error({"--run"}) == "option '--run' requires an argument");
  CHECK(error({"--active=foo"}) == "option '--active' doesn't allow an argument");
  CHECK(error({"-x"}) == "invalid option -- 'x'");
  CHECK(error({"-p"}) == "option requires an argument -- 'p'");
}

TEST_CASE("numbers and choices are checked") {
  CHECK(error({"--threads=x"}) == "--threads: \"x\" is not a positive number");
  CHECK(error({"--threads=0"}) == "--threads: \"0\" is not a positive number");
  CHECK(error({"--sync-timeout=-1"}) == "--sync-timeout: \"-1\" is not a valid number");
  CHECK(error({"--sync-fallback=no"}) ==
        "--sync-fallback: \"no\" is neither \"async\" nor \"block\"");
  CHECK(error({"--advertise-role=no"}) ==
        "--advertise-role: \"no\" is neither \"none\" nor \"leader\" nor \"connected\"");
  CHECK(error({"--sync-peers=a,"}) ==
        "--sync-peers: \"a,\" is neither \"any\" nor a list of names");
  for (const std::string address :
       {"", "80", "example:80", "127.0.0.1:", "127.0.0.1:80x", "[::1:80"})
    CHECK(error({"--http=" + address}) ==
          "--http: \"" + address + "\" is not of the form ADDRESS:PORT");
}

TEST_CASE("a configuration file excludes what it holds itself") {
  CHECK(error({"--config-file=x", "db"}) == "Databases should be specified in a config file");
  CHECK(error({"--config-file=x", "--active"}) ==
        "--config-file is mutually exclusive with --sync-from, --sync-exclude and --active");
}

TEST_CASE("--help shows each option, and its default as it is") {
  const std::string text = usage(kDirectories);
  for (const OptionEntry& entry : option_table()) {
    INFO(entry.name);
    const std::string shown = "--" + std::string(entry.name) + std::string(entry.argument);
    const std::size_t at = text.find(' ' + shown);
    CHECK((at == std::string::npos) == (entry.group == OptionGroup::kHidden));
    CHECK(entry.help.empty() == (entry.group == OptionGroup::kHidden));
  }
  CHECK(text.find("  -p, --private-key=FILE  private key\n") != std::string::npos);
  CHECK(text.find("  --max-requests=N        requests under way (default: " +
                  std::to_string(SessionLimits().requests) + ")\n") != std::string::npos);
  CHECK(text.find("(default: /run/ovsdb-server.pid)") != std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(line.size() <= 80);
  }
}

}  // namespace
}  // namespace tandem
