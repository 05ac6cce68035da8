#!/usr/bin/python3
"""Moves the promoted role again and again, and tells how long each step took: what is the agent's, and what is Pacemaker's.

With --trivial Pacemaker's own sample of a promotable resource moves instead, under the same clone, address and
constraints: whatever then passes is Pacemaker's and IPaddr2's.

    handover.py --ovs-dir build/release/ovs --moves 5
    handover.py --trivial --moves 5
"""
import argparse
import os
import re
import shutil
import statistics
import tempfile
import threading
import time

from bench import AGENT, Bench
from scenarios import SCENARIOS

HERE = os.path.dirname(os.path.abspath(__file__))
STATEFUL = "/usr/lib/ocf/resource.d/pacemaker/Stateful"
# In place of the agent: writes down when each action begins and ends, in hundredths of seconds since the boot.
WRAPPER = """\
#!/bin/sh
read -r began _ </proc/uptime
{agent}.real "$@"
code=$?
read -r ended _ </proc/uptime
what=$1
[ "$1" != notify ] || what=$OCF_RESKEY_CRM_meta_notify_type-$OCF_RESKEY_CRM_meta_notify_operation
echo "$began $ended $what $code" >>/var/log/handover
exit $code
"""


class AddressWatch:
    """When the address came to a node, and when it went."""

    def __init__(self, node, address):
        self.seen = []
        self._process = node.spawn("ip", "-o", "monitor", "address", stdout=-1, text=True)
        self._address = address
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            if f" {self._address}/" in line:
                self.seen.append((time.monotonic(), "address goes" if line.startswith("Deleted") else "address comes"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default=os.path.join(HERE, "../../ocf/ovndb-servers"))
    parser.add_argument("--ovs-dir", help="folder whose ovsdb-server the agent shall start")
    parser.add_argument("--trivial", action="store_true", help="move a resource that does nothing")
    parser.add_argument("--mode", choices=["ip", "lb"], default="ip")
    parser.add_argument("--moves", type=int, default=5)
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="of the agent")
    options = parser.parse_args()
    options.__dict__.update(nodes=3, proto="tcp", ipv6=False, pcs=False, northd=False, rate=200, rows=0, host_names=False,
                            writers=["nb", "sb"], own_disks=False, start_delay_s=0, token_ms=3000, monitor_s=10,
                            promoted_monitor_s=15)
    if options.ovs_dir:
        options.ovs_dir = os.path.abspath(options.ovs_dir)
        options.parameter.append("tandem_dir=" + options.ovs_dir)
    options.agent = STATEFUL if options.trivial else os.path.abspath(options.agent)
    return options


def wrap(bench):
    for node in bench.cluster.nodes:
        agent = node.path(AGENT)
        shutil.move(agent, agent + ".real")
        with open(agent, "w") as wrapper:
            wrapper.write(WRAPPER.format(agent=AGENT))
        os.chmod(agent, 0o755)


def actions(bench, since):
    """(time, what) of all actions that have begun or ended since."""
    found = []
    for node in bench.cluster.nodes:
        try:
            with open(node.path("/var/log/handover")) as log:
                lines = log.read().splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            began, ended, what, code = line.split()
            if float(began) >= since - 0.01:
                found.append((float(began), f"{node.name} {what}"))
                found.append((float(ended), f"{node.name} {what} ends" + (f": {code}" if code != "0" else "")))
    return found


def gap(writer, since):
    """Begin and end of the longest time without an acknowledgement."""
    times = [when for _, when in writer.acknowledged() if when >= since - 0.1]
    return max(zip(times, times[1:]), key=lambda pair: pair[1] - pair[0])


def move(bench, watches, trivial):
    """Returns the length of each part of this move."""
    home = bench.active()
    target = bench.cluster.other_nodes(home.name)[0]
    since = time.monotonic()
    bench.cluster.move(target)
    bench.cluster.wait_promoted(among=[target.name], vip=bench.options.mode == "ip")
    time.sleep(4)
    bench.cluster.clear_move()
    events = actions(bench, since)
    events += [(when, f"{name} {what}") for name, watch in watches.items() for when, what in watch.seen if when >= since]
    parts = {}
    if not trivial:
        for writer in bench.writers:
            began, ended = gap(writer, since)
            events += [(began, f"{writer.which} writer waits"), (ended, f"{writer.which} writer goes on")]
            parts[f"{writer.which} writer"] = ended - began
    events.sort()
    at = {}
    for when, what in events:
        at.setdefault(re.sub(r"^(ctl\S+)", lambda name: {home.name: "old", target.name: "new"}.get(name[1], "third"), what), when)
    for first, last in (("old pre-demote", "new promote ends"), ("old demote", "new promote ends"), ("old demote", "old demote ends"),
                        ("old demote ends", "new promote"), ("new promote", "new promote ends"),
                        ("new promote ends", "new address comes"), ("old address goes", "new address comes")):
        if first in at and last in at:
            parts[f"{first} .. {last}"] = at[last] - at[first]
    for when, what in events:
        print(f"  {when - since:7.3f}  {what}", flush=True)
    return parts


def main():
    options = parse()
    folder = tempfile.mkdtemp(prefix="tandem-cluster-")
    bench = Bench(options, os.path.join(folder, "handover"))
    parts = []
    try:
        bench.start()
        wrap(bench)
        watches = {node.name: AddressWatch(node, bench.vip) for node in bench.cluster.nodes}
        if not options.trivial:
            bench.start_writers(SCENARIOS["move"])
        time.sleep(12)
        for number in range(options.moves):
            print(f"move {number + 1}", flush=True)
            parts.append(move(bench, watches, options.trivial))
            time.sleep(4)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    for name in parts[0]:
        values = [each[name] for each in parts if name in each]
        print(f"{name:45} median {statistics.median(values):.3f}  least {min(values):.3f}  most {max(values):.3f}")


if __name__ == "__main__":
    main()
