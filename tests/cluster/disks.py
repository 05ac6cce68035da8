"""Faults of files: the databases' disk freezes or is full, pidfiles are emptied."""
import os
import time

from faults import when_promoted
from node import run


def with_own_disk(bench):
    """The active, which has a disk of its own for the databases."""
    active = bench.active()
    if not os.path.ismount(active.path("/var/lib/ovn")):
        raise AssertionError("needs --own-disks")
    return active


def freeze_disk(bench):
    active = with_own_disk(bench)
    disk = active.path("/var/lib/ovn")
    run(["fsfreeze", "--freeze", disk])
    bench.on_close(lambda: run(["fsfreeze", "--unfreeze", disk], check=False))
    bench.cluster.wait_promoted(among=bench.names_but(active))
    time.sleep(10)

    def repair():
        run(["fsfreeze", "--unfreeze", disk])
        time.sleep(1)
        bench.cluster.cleanup()  # the servers could not be started on that node

    return repair


def fill_disk(bench):
    active = with_own_disk(bench)
    ballast = active.path("/var/lib/ovn/ballast")
    with open(ballast, "wb") as file:
        try:
            while True:
                file.write(b"x" * 65536)
                file.flush()
        except OSError:
            pass
    return when_promoted(bench, bench.names_but(active), lambda: os.unlink(ballast))


def empty_pidfiles(bench):
    """The active's pidfiles lose their contents, then it has to stop: nothing of it may live on."""
    active = bench.active()
    pids = [active.pid_in(f"/run/ovn/ovn{which}_db.pid") for which in ("nb", "sb")]
    active.run("sh", "-c", "for file in /run/ovn/ovn?b_db.pid; do : > $file; done")
    bench.cluster.standby(active)
    bench.cluster.wait_promoted(among=bench.names_but(active))
    bench.cluster.wait_stopped(active)
    alive = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    if alive:
        raise AssertionError(f"servers live on after the stop: {alive}")
    return lambda: bench.cluster.standby(active, on=False)
