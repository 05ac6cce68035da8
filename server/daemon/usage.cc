#include <fmt/core.h>

#include "server/daemon/options.h"

namespace tandem {

std::string usage(const Directories& directories) {
  const SessionLimits limits;
  return fmt::format(
      R"(ovsdb-server: Tandem, an Open vSwitch database server
usage: ovsdb-server [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
{0}/conf.db.

Remotes (may be given any number of times):
  --remote=REMOTE         connect or listen to REMOTE
  --active-remote=REMOTE  the same, only while this server is the active one
Active connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  ssl:HOST:PORT           TLS PORT at remote HOST
  unix:FILE               Unix domain socket FILE
Passive connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  pssl:PORT[:IP]          listen to TLS PORT on IP
  punix:FILE              listen on Unix domain socket FILE
  db:DB,TABLE,COLUMN      those that COLUMN of TABLE in DB holds
Connections over TCP and TLS:
  --inactivity-probe=MS   how long a peer may be silent before it is asked whether
                          it is there, of remotes whose row or configuration file
                          does not say; 0: never (default: 5000)
  --tcp-keepalive=SECONDS the same, asked by the kernel, of all remotes; 0: never
                          (default: as often as probes)

TLS (each may be db:DB,TABLE,COLUMN):
  -p, --private-key=FILE    private key
  -c, --certificate=FILE    certificate for the private key
  -C, --ca-cert=FILE        certificate of the peers' authority
  --bootstrap-ca-cert=FILE  the same, fetched from the first peer if missing
  --peer-ca-cert=FILE       further certificates to send to peers
  --ssl-protocols=PROTOS    protocols to enable
  --ssl-ciphers=CIPHERS     ciphers to enable
  --ssl-ciphersuites=SUITES TLS 1.3 ciphersuites to enable
  --ssl-server-name=NAME    name to ask servers for (default: the host connected to)

Daemon:
  --detach                run in the background
  --monitor               have a process that restarts the server if it crashes
  --user=USER[:GROUP]     run as that user
  --no-chdir              do not change to /
  --pidfile[=FILE]        write the process id (default: {1}/ovsdb-server.pid)
  --overwrite-pidfile     with --pidfile, start even if already running
  --config-file=FILE      read databases and remotes from FILE
  --no-dbs                start without databases

Logging:
  -vSPEC, --verbose=SPEC  set levels; without SPEC, everything
  --log-file[=FILE]       log to FILE (default: {2}/ovsdb-server.log)
  --syslog-method=(libc|unix:FILE|udp:IP:PORT|null)
                          how to reach the syslog daemon
  --syslog-target=IP:PORT also send what goes to syslog there by UDP

Replication:
  --sync-from=SERVER      be a backup of SERVER (except with --active)
  --active                with --sync-from, start as the active server
  --sync-exclude-tables=DB:TABLE,...
                          do not replicate these tables
  --sync-replicas=N       commit only when N backups have it (default: 0)
  --sync-timeout=MS       how long to wait for them (default: 1000)
  --sync-fallback=async|block
                          what to do then (default: async)
  --sync-peers=NAME,...   only clients with a certificate of one of these common
                          names may be backups (default: any)
  --node-name=NAME        this server's node, as the cluster manager calls it
  --sync-schema           let a backup adopt the active's schema
  --advertise-role=none|leader|connected
                          show clients of several servers which is active
                          (default: none; see docs/operating.md)

Compaction (see docs/operating.md):
  --compact-every=SECONDS compact a file that has grown, at the latest so often
                          (default: once a day, from 100 commits on)
  --compact-window=HH:MM-HH:MM
                          begin that only then, local time (default: at any time)

Limits of one client (see docs/operating.md):
  --max-requests=N        requests under way (default: {3})
  --max-unsent=BYTES      replies and updates that it has not taken (default: {4})
  --max-monitors=N        monitors (default: {5})
  --max-clauses=N         clauses in the conditions of its monitors (default: {6})
  --max-locks=N           locks that it has or awaits (default: {7})
  --max-waits=N           transactions in a "wait" (default: {8})
  --max-kept=BYTES        ids of its monitors and names of its locks, and as much
                          again of those transactions (default: {9})
  --max-message-size=BYTES
                          one message (default: {10})
  --max-first-message-size=BYTES
                          the same, before one of a client without a
                          certificate was valid (default: {11})

Other:
  --run=COMMAND           serve while COMMAND runs
  --unixctl=SOCKET        name of the control socket, or none
  --threads=N             threads that serve clients (default: by processors)
  --history-size=BYTES    how far back clients and backups of a database can
                          resume (default: 256 a row, 4 to 64 MiB)
  --http=ADDRESS:PORT     serve status over HTTP
  --disable-file-column-diff
                          write whole columns to database files
  --disable-file-no-data-conversion
                          accepted: a conversion always writes the data, too
  -h, --help              print this
  -V, --version           print the version
)",
      directories.db, directories.run, directories.log, limits.requests, limits.unsent_bytes,
      limits.monitors, limits.clauses, limits.locks, limits.waits, limits.kept_bytes,
      limits.message_bytes, limits.first_message_bytes);
}

}  // namespace tandem
