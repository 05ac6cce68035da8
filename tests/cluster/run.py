#!/usr/bin/python3
"""Runs real Pacemaker clusters on this machine and breaks them.

Examples:
    run.py --agent ocf/ovndb-servers --ovs-dir build/release/ovs --scenario smoke
    run.py --agent /usr/share/ovn/scripts/ovndb-servers.ocf --mode lb --scenario hang_nb power_off_active
"""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time

from bench import Bench
from scenarios import SCENARIOS, SMOKE

NEEDED = ["corosync", "pacemakerd", "crm_mon", "unshare", "nsenter", "ip", "ovsdb-server", "ovn-nbctl"]
SKIPPED = 77


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", required=True, help="resource agent to install in the nodes")
    parser.add_argument("--ovs-dir", help="folder whose ovsdb-server the agent shall start (parameter tandem_dir)")
    parser.add_argument("--mode", choices=["ip", "lb"], default="ip")
    parser.add_argument("--proto", choices=["tcp", "ssl"], default="tcp")
    parser.add_argument("--ipv6", action="store_true", help="clients and backups reach the active over IPv6")
    parser.add_argument("--pcs", action="store_true", help="configure with the guide's pcs commands")
    parser.add_argument("--nodes", type=int, choices=[2, 3], default=3)
    parser.add_argument("--northd", action="store_true", help="manage_northd=yes")
    parser.add_argument("--rate", type=float, default=100, help="transactions a second of each writer, 0: all it can")
    parser.add_argument("--rows", type=int, default=0, help="rows that each database has before anything happens")
    parser.add_argument("--writers", nargs="+", choices=["nb", "sb"], default=["nb", "sb"])
    parser.add_argument("--host-names", action="store_true", help="hosts have other names than their nodes")
    parser.add_argument("--own-disks", action="store_true", help="each node has a disk of its own for its databases")
    parser.add_argument("--other-agent", metavar="AGENT", help="agent of the scenario other_agent")
    parser.add_argument("--start-delay-s", type=int, default=0, help="what ovn-ctl takes longer to start a server")
    parser.add_argument("--token-ms", type=int, default=3000)
    parser.add_argument("--monitor-s", type=int, default=10)
    parser.add_argument("--promoted-monitor-s", type=int, default=15)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the agent")
    parser.add_argument("--lossless", action="store_true", help="fail if any acknowledged transaction is lost")
    parser.add_argument("--traced", action="store_true", help="fail if one is lost and in no divergence file")
    parser.add_argument("--keep", help="copy the nodes' folders (logs, databases) here at the end")
    parser.add_argument("--json", help="append one JSON line a scenario to this file")
    parser.add_argument("--scenario", nargs="+", default=["smoke"], help="names, `smoke` or `all`")
    options = parser.parse_args()
    names = []
    for name in options.scenario:
        names += SMOKE if name == "smoke" else list(SCENARIOS) if name == "all" else [name]
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        parser.error(f"no such scenario: {' '.join(unknown)}; there are: {' '.join(SCENARIOS)}")
    options.names = [name for name in names if fits(SCENARIOS[name], options)]
    options.agent = os.path.abspath(options.agent)
    if options.ovs_dir:
        options.ovs_dir = os.path.abspath(options.ovs_dir)
        if not os.access(os.path.join(options.ovs_dir, "ovsdb-server"), os.X_OK):
            parser.error(f"no ovsdb-server in {options.ovs_dir}")
        options.parameter.append("tandem_dir=" + options.ovs_dir)
    return options


def fits(scenario, options):
    return (not (scenario.outsiders if options.northd else scenario.northd)
            and (options.own_disks or not scenario.own_disks) and (options.other_agent or not scenario.other_agent))


def show(outcome):
    def cell(values):
        return " ".join(f"{label.rstrip('0123456789')}={value}" for label, value in values.items()) or "-"

    outages = {label: f"{value:.2f}" for label, value in outcome.outage_s.items()}
    print(f"{'ok  ' if not outcome.wrong else 'FAIL'} {outcome.scenario:24} outage {cell(outages):22} "
          f"acked {cell(outcome.acknowledged):18} lost {cell(outcome.lost):12} "
          f"{'moved' if outcome.moved else 'stayed'} two-writable {max(outcome.two_writable_s.values(), default=0):.2f} s "
          f"failed-actions {len(outcome.failures)} {outcome.seconds:.0f} s",
          flush=True)
    for line in outcome.notes + outcome.wrong:
        print(f"       {line}", flush=True)


def main():
    options = parse()
    missing = [program for program in NEEDED if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
    if missing or os.geteuid() != 0:
        print("skipped: needs root and " + " ".join(missing or NEEDED))
        return SKIPPED
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="tandem-cluster-")
    failed = 0
    bench = None
    try:
        for name in options.names:
            if bench is None:
                bench = Bench(options, os.path.join(folder, name))
                began = time.monotonic()
                bench.start()
                print(f"     cluster of {options.nodes} up in {time.monotonic() - began:.1f} s", flush=True)
            outcome = bench.run_scenario(name, SCENARIOS[name])
            show(outcome)
            if options.json:
                with open(options.json, "a") as file:
                    file.write(json.dumps(vars(outcome)) + "\n")
            if outcome.wrong:
                failed += 1
                print(bench.cluster.a_node().run("crm_mon", "-1", "-A", check=False).stdout, flush=True)
                bench.close()
                bench = None
    finally:
        if bench:
            bench.close()
        if options.keep:
            shutil.copytree(folder, options.keep, symlinks=True, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
