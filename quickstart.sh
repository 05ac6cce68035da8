#!/bin/bash
# From nothing to a live pair: installs packages, builds, starts an active and a backup server for OVN's
# Northbound and Southbound databases with a real ovn-northd, writes, fails over, and writes again.
#
#   ./quickstart.sh          leaves the pair running for you to try, and says how
#   ./quickstart.sh --check  stops everything again; exits 0 only if all of it worked
#   ./quickstart.sh --stop   stops what an earlier run left
#
# All is on loopback and in one scratch folder. TANDEM_SERVER=PROGRAM uses that server and builds nothing.
set -euo pipefail

top=$(cd "$(dirname "$0")" && pwd)
scratch=${TMPDIR:-/tmp}/tandem-quickstart-$(id -u)

say() { printf '\n== %s\n' "$*"; }
run() { printf '  $ %s\n' "$*" && "$@" | sed 's/^/    /'; }
fail() { echo "quickstart: $*" >&2 && exit 1; }

# Node names are a and b, database names nb and sb; a server is a node and a database: a-nb.
sock() { echo "unix:$scratch/$1.sock"; }
appctl() { ovs-appctl -t "$scratch/$1.ctl" "${@:2}"; }
nbctl() { ovn-nbctl --db="$(sock "$1-nb")" --timeout=20 "${@:2}"; }

# Waits up to 30 s until the command succeeds; $1 says what for.
await() {
    local what=$1 i
    shift
    for ((i = 0; i < 300; i++)); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    fail "gave up waiting for $what"
}

stop_all() {
    local pidfile pid
    for pidfile in "$scratch"/*.pid; do
        [ -e "$pidfile" ] || continue
        pid=$(cat "$pidfile")
        # A stale pidfile must not cost somebody else's process its life.
        grep -qs "OVS_RUNDIR=$scratch" "/proc/$pid/environ" || continue
        kill "$pid"
        timeout 10 tail --pid="$pid" -f /dev/null || kill -9 "$pid"
    done
    rm -rf "$scratch"
}

build() {
    "$top/install-packages.sh" build run
    if [ -n "${TANDEM_SERVER:-}" ]; then return; fi
    say "Building"
    (cd "$top" && cmake --preset release >/dev/null && cmake --build --preset release --target tandem-server tandem-ctl)
    TANDEM_SERVER=$top/build/release/bin/tandem-server
}

# start_server NODE DB [OPTION...]
start_server() {
    local name=$1-$2 db=$2
    shift 2
    ovsdb-tool create "$scratch/$name.db" "/usr/share/ovn/ovn-$db.ovsschema"
    "$TANDEM_SERVER" --detach --no-chdir --pidfile="$scratch/$name.pid" --unixctl="$scratch/$name.ctl" \
        --log-file="$scratch/$name.log" -vconsole:off -vvlog:off --remote="p$(sock "$name")" --remote=ptcp:0:127.0.0.1 \
        "$@" "$scratch/$name.db"
}

# The loopback address at which a server listens, from its log.
tcp_address() {
    local port
    port=$(sed -n 's/.*listening on port \([0-9]*\).*/\1/p' "$scratch/$1.log" | tail -n 1)
    [ -n "$port" ] || fail "$1 does not say where it listens"
    echo "tcp:127.0.0.1:$port"
}

start_northd() {
    ovn-northd --detach --no-chdir --pidfile="$scratch/northd.pid" --unixctl="$scratch/northd.ctl" \
        --log-file="$scratch/northd.log" -vconsole:off -vvlog:off \
        --ovnnb-db="$(sock "$1-nb")" --ovnsb-db="$(sock "$1-sb")"
}

start_pair() {
    [ -d "$scratch" ] || mkdir "$scratch"
    [ -z "$(ls "$scratch")" ] || fail "it runs already, in $scratch; ./quickstart.sh --stop ends it"
    export OVS_RUNDIR=$scratch OVN_RUNDIR=$scratch OVS_SYSLOG_METHOD=null
    for db in nb sb; do
        start_server a $db
        start_server b $db --sync-from="$(tcp_address a-$db)"
    done
    start_northd a
    for db in nb sb; do
        await "b-$db to replicate" replicates b $db
        run appctl b-$db ovsdb-server/sync-status
    done
}

replicates() { appctl "$1-$2" ovsdb-server/sync-status | grep -q '^replicating:'; }
is_active() { appctl "$1-$2" ovsdb-server/sync-status | grep -q '^state: active'; }
shows() { nbctl "$1" show | grep -q "$2"; }

fail_over() {
    for db in nb sb; do
        run appctl b-$db ovsdb-server/disconnect-active-ovsdb-server
        await "b-$db to be active" is_active b $db
        run appctl a-$db ovsdb-server/set-active-ovsdb-server "$(tcp_address b-$db)"
        run appctl a-$db ovsdb-server/connect-active-ovsdb-server
        await "a-$db to replicate" replicates a $db
    done
    ovn-appctl -t "$scratch/northd.ctl" exit
    await "ovn-northd to stop" test ! -e "$scratch/northd.pid"
    start_northd b
}

what_next() {
    say "It runs. Try:"
    cat <<EOF
  ovn-nbctl --db=$(sock b-nb) show                    # the active
  ovn-nbctl --db=$(sock a-nb) show                    # the backup, read-only
  ovs-appctl -t $scratch/a-nb.ctl ovsdb-server/sync-status
  ovs-appctl -t $scratch/a-nb.ctl list-commands
  kill -9 \$(cat $scratch/b-nb.pid)                    # lose the active; then, to promote the other:
  ovs-appctl -t $scratch/a-nb.ctl ovsdb-server/disconnect-active-ovsdb-server
  less $scratch/a-nb.log
  ./quickstart.sh --stop                              # end it
With Pacemaker ocf/ovndb-servers does all this by itself: see README.md.
EOF
}

main() {
    case ${1:-} in
        --check)
            scratch=$(mktemp -d)
            trap stop_all EXIT ;;
        --stop) stop_all && exit ;;
        '') ;;
        *) fail "unknown option $1; see the head of this file" ;;
    esac
    build
    say "An active (a) and a backup (b) for each database, and ovn-northd"
    start_pair
    say "A write on the active, seen on the backup"
    run nbctl a ls-add first -- lsp-add first port1
    run nbctl a --wait=sb sync
    await "the write to reach the backup" shows b port1
    run nbctl b show
    say "Failover: b becomes active, a its backup"
    fail_over
    say "A write on the new active, seen on the new backup"
    run nbctl b ls-add second -- lsp-add second port2
    run nbctl b --wait=sb sync
    await "the write to reach the backup" shows a port2
    run nbctl a show
    if [ "${1:-}" = --check ]; then
        stop_all
        trap - EXIT
        say "quickstart: all of it worked"
    else
        what_next
    fi
}

main "$@"
