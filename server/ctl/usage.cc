#include "server/ctl/invocation.h"

namespace tandem::ctl {

std::string usage() {
  return R"(tandem-ctl: asks and controls running tandem-servers
usage: tandem-ctl [-t TARGET] [-T SECONDS] COMMAND [ARG...]

Commands:
  status [--json]                   role, replication, lag, clients, remotes, health
  status --cluster [SERVER...] [--json]
                                    one verdict on all copies, and a table of them
  position [DB] [--json]            how far each database is
  history [DB] [--json]             what is kept for backups and clients to resume from
  sessions [--json]                 clients: who sends, who is slow, who holds which lock
  promote [--force] [--damaged]     become the active server
  demote [REMOTE]                   become a backup, of REMOTE
  wait-synced [--timeout SECONDS]   wait until backups have everything, or a backup has
  sync-replicas [N [MS [async|block]]]
                                    how many backups must have a commit before its reply
  sync-peers [NAME,...|any]         which clients may be backups
  node-name [NAME]                  what the cluster manager calls the server's node
  advertise-role [none|leader|connected]
                                    what "_Server" shows of the role
  lease [SECONDS|off]               be active only for so long, unless renewed
  list-commands                     all commands that the server knows
Any other COMMAND is sent as it is, like ovs-appctl does.

Options of status, position, history and sessions:
  --watch[=SECONDS]       repeat it, each second or so often; of sessions with how
                          many requests a second each client makes
  --json                  for programs (docs/operating.md describes the members)
  --format=FORMAT         text or json; of status also short: a line DB ROLE STATE
                          EPOCH INDEX a database

Options:
  -t, --target=TARGET     control socket, pidfile, or name of a pidfile in the run
                          directories. Without it status, position, history, sessions
                          and wait-synced ask all Tandem servers of this host, other
                          commands the only one
  -T, --timeout=SECONDS   give up after that time (default: 5, and for promote, demote
                          and wait-synced as long as these may take besides)
  -h, --help              print this
  -V, --version           print the version

SERVER is HOST:PORT, where the server has its status pages (--http), or a TARGET
on this host; without one all Tandem servers of this host are asked, and if it is
a node of a Pacemaker cluster those of the other nodes, at the same ports. Backups
that an active tells of are in the table as well.

Exit status: 0 all well, 1 a server was not reached, 2 a server refused.
Of status --cluster: 0 one writer whose backups are all in sync, 1 one writer and
something that needs care, 2 no writer, several, or no answer at all.
)";
}

}  // namespace tandem::ctl
