"""Faults of the cluster's own machinery: parts of it that hang, notifications that come late or not at all, preferences
of the administrator, other agents on some of the nodes."""
import os
import shutil
import signal
import time

import checks
from cluster import CLONE, wait_for
from faults import continue_all, reboot

AGENT = "/usr/lib/ocf/resource.d/ovn/ovndb-servers"
# In place of the agent: it waits, or dies, at a notification if a file says so.
WRAPPER = """\
#!/bin/sh
if [ "$1" = notify ] && [ -r {agent}.notify ]; then . {agent}.notify; fi
exec {agent}.real "$@"
"""


def hang(name, s, moves=False):
    """The daemon `name` of the active's node is stopped for so long; with `moves` another node has to take over."""
    def fault(bench):
        active = bench.active()
        pids = active.pids_of(name)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            if moves:
                other = bench.cluster.other_nodes(active.name)[0]
                bench.cluster.wait_promoted(among=bench.names_but(active), node=other)
            time.sleep(max(0.0, began + s - time.monotonic()))
        finally:
            continue_all(pids)
        return lambda: None

    return fault


def prefer(bench, node, score):
    bench.cluster.a_node().run(
        "cibadmin", "--create", "-o", "constraints", "--xml-text",
        f'<rsc_location id="prefer" rsc="{CLONE}" role="Promoted" node="{node.name}" score="{score}"/>')
    return lambda: bench.cluster.a_node().run("cibadmin", "--delete", "--xml-text", '<rsc_location id="prefer"/>')


def failback(bench):
    """The node to which the role was once moved, for good, reboots while others write: it gets the role back, but first all
    that was written."""
    target = bench.cluster.other_nodes(bench.active().name)[0]
    bench.cluster.move(target)
    bench.cluster.wait_promoted(among=[target.name], vip=bench.options.mode == "ip")
    time.sleep(3)
    target.power_off()
    bench.cluster.wait_promoted(among=bench.names_but(target))
    time.sleep(5)
    reboot(bench, target)()
    bench.cluster.wait_promoted(among=[target.name])
    return bench.cluster.clear_move


def prefer_stale(bench):
    """A backup that no longer reaches the active is the one that the administrator prefers; then the active dies."""
    active = bench.active()
    stale, third = bench.cluster.other_nodes(active.name)
    stale.lose_sight_of(bench.vip)
    time.sleep(8)
    forget = prefer(bench, stale, 500)
    time.sleep(5)
    active.power_off()
    bench.cluster.wait_promoted(among=[third.name])

    def repair():
        stale.see_again(bench.vip)
        forget()
        reboot(bench, active)()

    return repair


def half_broken_backup(bench):
    """One backup no longer gets the Southbound database, and is a bit ahead in the Northbound one when the active dies."""
    active = bench.active()
    broken, whole = bench.cluster.other_nodes(active.name)
    rule = ["ipproto", "tcp", "dport", "6642", "blackhole"]
    broken.run("ip", "rule", "add", *rule)
    time.sleep(8)
    pid = whole.pid_in("/run/ovn/ovnnb_db.pid")
    os.kill(pid, signal.SIGSTOP)
    time.sleep(0.3)
    active.power_off()
    continue_all([pid])
    bench.cluster.wait_promoted(among=[whole.name])

    def repair():
        broken.run("ip", "rule", "del", *rule)
        reboot(bench, active)()

    return repair


def notification(what):
    """The active dies, and on one backup each notification before a promotion meets `what`, in words of the shell."""
    def fault(bench):
        active = bench.active()
        other = bench.cluster.other_nodes(active.name)[0]
        agent = other.path(AGENT)
        shutil.move(agent, agent + ".real")
        with open(agent, "w") as wrapper:
            wrapper.write(WRAPPER.format(agent=AGENT))
        os.chmod(agent, 0o755)
        with open(agent + ".notify", "w") as file:
            file.write('[ "$OCF_RESKEY_CRM_meta_notify_operation" != promote ] || '
                       f'[ "$OCF_RESKEY_CRM_meta_notify_type" != pre ] || {what}\n')
        active.power_off()
        bench.cluster.wait_promoted(among=bench.names_but(active))

        def repair():
            shutil.move(agent + ".real", agent)
            reboot(bench, active)()

        return repair

    return fault


def swap_agent(bench, node, program):
    """Another agent on a node that runs none of the resource meanwhile."""
    bench.cluster.standby(node)
    bench.cluster.wait_stopped(node)
    shutil.copy(program, node.path(AGENT))
    os.chmod(node.path(AGENT), 0o755)
    bench.cluster.standby(node, on=False)
    bench.cluster.wait_settled(60)


def other_agent(bench):
    """One node runs another agent: the role moves to it, and back, and then it runs ours again."""
    home = bench.active()
    other = bench.cluster.other_nodes(home.name)[0]
    swap_agent(bench, other, bench.options.other_agent)
    checks.one_active(bench.cluster)
    for target in (other, home):
        time.sleep(5)
        bench.cluster.move(target)
        bench.cluster.wait_promoted(among=[target.name], vip=bench.options.mode == "ip")
        wait_for("the roles", lambda: bench.cluster.wait_settled(60), 60)
        # Without the constraint the scores decide: those of a stock agent follow at its next monitors.
        time.sleep(max(bench.options.monitor_s, bench.options.promoted_monitor_s) + 2)
        bench.cluster.clear_move()
    time.sleep(5)
    swap_agent(bench, other, bench.options.agent)
    return lambda: None
