"""Faults of servers, nodes and daemons. A fault takes the bench, does its harm, and returns a function that repairs what
does not repair itself."""
import os
import signal
import time


def nothing():
    pass


def reboot(bench, *nodes):
    def repair():
        for node in nodes:
            node.boot()
        for node in nodes:
            bench.cluster.start_node(node)

    return repair


def when_promoted(bench, names, repair):
    """The repair, once one of these nodes is promoted. Nobody asks before the writers go on: all nodes share this machine's
    processors, and what a question takes would count as outage."""
    def repair_then():
        bench.cluster.wait_promoted(among=names)
        repair()

    return repair_then


def signal_servers(node, which, number, monitor_too=False):
    """Signals the node's servers; returns the pids."""
    pids = [node.pid_in(f"/run/ovn/ovn{name}_db.pid") for name in which]
    for pid in pids:
        if monitor_too:
            with open(f"/proc/{pid}/stat") as stat:
                os.kill(int(stat.read().rsplit(")", 1)[1].split()[1]), number)
        os.kill(pid, number)
    return pids


def continue_all(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


# --- graceful: the cluster is asked to move the role ---

def standby_active(bench):
    active = bench.active()
    bench.cluster.standby(active)
    return when_promoted(bench, bench.names_but(active), lambda: bench.cluster.standby(active, on=False))


def move(bench):
    active = bench.active()
    target = bench.cluster.other_nodes(active.name)[0]
    bench.cluster.move(target)
    return when_promoted(bench, [target.name], bench.cluster.clear_move)


# --- the administrator wants everything left alone, for longer than an active may write without word from the cluster ---

def maintenance(bench):
    bench.cluster.set_maintenance(True)
    time.sleep(bench.lease_s() + 5)
    return lambda: bench.cluster.set_maintenance(False)


def maintenance_without_pacemaker(bench):
    bench.cluster.set_maintenance(True)
    time.sleep(3)
    bench.cluster.stop_pacemaker()
    time.sleep(bench.lease_s() + 5)
    bench.cluster.start_pacemaker()
    return lambda: bench.cluster.set_maintenance(False)


# --- a server dies or hangs ---

def kill_nb(bench):
    signal_servers(bench.active(), ["nb"], signal.SIGKILL)
    return nothing


def kill_sb(bench):
    signal_servers(bench.active(), ["sb"], signal.SIGKILL)
    return nothing


def kill_both(bench):
    signal_servers(bench.active(), ["nb", "sb"], signal.SIGKILL)
    return nothing


def kill_nb_and_monitor(bench):
    signal_servers(bench.active(), ["nb"], signal.SIGKILL, monitor_too=True)
    return nothing


def kill_both_and_monitors(bench):
    signal_servers(bench.active(), ["nb", "sb"], signal.SIGKILL, monitor_too=True)
    return nothing


def hang(*which):
    def fault(bench):
        pids = signal_servers(bench.active(), which, signal.SIGSTOP)
        return lambda: continue_all(pids)

    return fault


def kill_backup(bench):
    backup = bench.cluster.other_nodes(bench.active().name)[0]
    signal_servers(backup, ["nb", "sb"], signal.SIGKILL, monitor_too=True)
    return nothing


# --- a node dies or loses its network ---

def power_off_active(bench):
    active = bench.active()
    active.power_off()
    return when_promoted(bench, bench.names_but(active), reboot(bench, active))


def power_off_backup(bench):
    backup = bench.cluster.other_nodes(bench.active().name)[0]
    backup.power_off()
    time.sleep(8)
    return reboot(bench, backup)


def cut_active(bench):
    active = bench.active()
    active.cut()
    other = bench.cluster.other_nodes(active.name)[0]
    bench.cluster.wait_promoted(among=bench.names_but(active), node=other)
    time.sleep(5)
    return active.heal


def blind_backup_then_power_off_active(bench):
    """One backup no longer reaches the active; Pacemaker does not know; then the active dies."""
    active = bench.active()
    blind = bench.cluster.other_nodes(active.name)[0]
    blind.lose_sight_of(bench.vip)
    time.sleep(6)
    active.power_off()
    bench.cluster.wait_promoted(among=bench.names_but(active), node=blind)

    def repair():
        blind.see_again(bench.vip)
        reboot(bench, active)()

    return repair


def total_power_loss_stale_first(bench):
    """A backup that had fallen behind is the first to come back after all nodes lost their power."""
    active = bench.active()
    stale, third = bench.cluster.other_nodes(active.name)
    stale.lose_sight_of(bench.vip)
    time.sleep(6)
    bench.stop_writers()
    for node in (active, third, stale):
        node.power_off()
    stale.boot()
    bench.cluster.start_node(stale)
    time.sleep(3)
    reboot(bench, active, third)()
    return nothing


# --- a part of the cluster's own machinery dies on the active's node ---

def daemon_dies(name):
    def fault(bench):
        for pid in bench.active().pids_of(name):
            os.kill(pid, signal.SIGKILL)
        time.sleep(12)
        return nothing

    return fault


def corosync_dies(bench):
    active = bench.active()
    for pid in active.pids_of("corosync"):
        os.kill(pid, signal.SIGKILL)
    other = bench.cluster.other_nodes(active.name)[0]
    bench.cluster.wait_promoted(among=bench.names_but(active), node=other)
    time.sleep(5)

    def repair():
        active.power_off()
        reboot(bench, active)()

    return repair
