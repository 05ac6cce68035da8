"""The table of scenarios: what breaks, how it is repaired, and what may be lost."""
from dataclasses import dataclass
from typing import Callable

import disks
import faults
import machinery
import outsiders


@dataclass
class Scenario:
    fault: Callable
    graceful: bool = False  # nothing at all may be lost, with any server
    inside_writer: bool = False  # a second client runs on the active's own node
    northd: bool = False  # only with manage_northd
    outsiders: bool = False  # brings an ovn-northd of its own: only without manage_northd
    same_active: bool = False  # the fault must not move the role
    unfelt: bool = False  # the writers must not notice it
    resumes: bool = True  # the writers go on by themselves, before the repair
    alone: bool = False  # no backup reaches the new active until the repair: where commits wait for one, they wait
    own_disks: bool = False  # only where each node has a disk of its own for the databases
    other_agent: bool = False  # only where another agent is to be tried
    rate: int | None = None  # transactions a second of each writer, instead of what the option says


SCENARIOS = {
    "standby": Scenario(faults.standby_active, graceful=True),
    "move": Scenario(faults.move, graceful=True),
    "maintenance": Scenario(faults.maintenance, graceful=True, same_active=True, unfelt=True),
    "maintenance_without_pacemaker": Scenario(faults.maintenance_without_pacemaker, graceful=True, same_active=True, unfelt=True),
    "kill_nb": Scenario(faults.kill_nb),
    "kill_sb": Scenario(faults.kill_sb),
    "kill_both": Scenario(faults.kill_both),
    "kill_nb_and_monitor": Scenario(faults.kill_nb_and_monitor),
    "kill_both_and_monitors": Scenario(faults.kill_both_and_monitors),
    "hang_nb": Scenario(faults.hang("nb")),
    "hang_sb": Scenario(faults.hang("sb")),
    "hang_both": Scenario(faults.hang("nb", "sb")),
    "kill_backup": Scenario(faults.kill_backup, graceful=True, same_active=True),
    "power_off_active": Scenario(faults.power_off_active),
    "power_off_backup": Scenario(faults.power_off_backup, graceful=True, same_active=True),
    "cut_active": Scenario(faults.cut_active, inside_writer=True),
    "blind_backup": Scenario(faults.blind_backup_then_power_off_active, alone=True),
    "total_power_loss": Scenario(faults.total_power_loss_stale_first, resumes=False),
    "corosync_dies": Scenario(faults.corosync_dies),
    "execd_dies": Scenario(faults.daemon_dies("pacemaker-execd")),
    "controld_dies": Scenario(faults.daemon_dies("pacemaker-controld")),
    "northd_dies": Scenario(faults.daemon_dies("ovn-northd"), graceful=True, same_active=True, northd=True),
    "corosync_hangs": Scenario(machinery.hang("corosync", 60, moves=True)),
    "attrd_hangs": Scenario(machinery.hang("pacemaker-attrd", 60)),
    "controld_hangs": Scenario(machinery.hang("pacemaker-controld", 60)),
    "failback": Scenario(machinery.failback),
    "prefer_stale": Scenario(machinery.prefer_stale, alone=True),
    "half_broken_backup": Scenario(machinery.half_broken_backup, alone=True),
    "notification_late": Scenario(machinery.notification("sleep 5")),
    "notification_killed": Scenario(machinery.notification("kill -9 $$")),
    "empty_pidfiles": Scenario(disks.empty_pidfiles, graceful=True),
    "freeze_disk": Scenario(disks.freeze_disk, own_disks=True),
    "fill_disk": Scenario(disks.fill_disk, own_disks=True),
    "other_agent": Scenario(machinery.other_agent, other_agent=True, graceful=True),
    "ten_failovers": Scenario(outsiders.ten_failovers, graceful=True, resumes=False, outsiders=True, rate=5),
}
SMOKE = ["standby", "kill_nb", "hang_nb", "power_off_active", "blind_backup", "total_power_loss"]
