#!/usr/bin/python3
"""What the actions do, and within which time, with how many processes."""
import fcntl
import os
import shutil
import signal
import subprocess
import time

from cluster import (AGENT, AgentTest, BAN, FAILED, FAILED_PROMOTED, HERE, NOT_INSTALLED, NOT_RUNNING, OK, PROMOTED,
                     PROMOTED_MONITOR, main, wait_until)


class Actions(AgentTest):
    # --- processes and time ---

    def test_a_promoted_monitor_starts_six_processes_at_most(self):
        self.promoted()
        self.one.forget_calls()
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertLessEqual(len(self.one.calls()), 6, self.one.calls())

    def test_an_unorderly_notification_before_a_promotion_starts_ten_processes_at_most(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        self.publish(self.two, "live", (5, 100))
        self.monitor(self.one)
        self.one.forget_calls()
        self.before_promotion(self.one)
        self.assertLessEqual(len(self.one.calls()), 10, self.one.calls())

    def test_every_action_ends_within_its_timeout_while_the_clusters_tools_hang(self):
        self.set("hanging", "attrd_updater\ncrm_attribute\ncrm_node\ncrm_resource\ncorosync-quorumtool")
        for action, meta in (("start", {}), ("monitor", {"interval": "10000"}),
                             ("notify", {"notify_type": "pre", "notify_operation": "promote",
                                         "notify_promote_uname": self.one.name, "notify_slave_uname": self.two.name}),
                             ("promote", {}), ("monitor", PROMOTED_MONITOR), ("demote", {}), ("stop", {})):
            began = time.monotonic()
            self.one.run(action, timeout="5000", **meta)
            self.assertLess(time.monotonic() - began, 5, action)

    def test_every_action_ends_within_its_timeout_while_the_servers_hang(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100")
        pids = [self.one.pid(which) for which in ("nb", "sb")]
        for action, meta in (("notify", {"notify_type": "pre", "notify_operation": "promote",
                                         "notify_promote_uname": self.one.name, "notify_slave_uname": self.two.name}),
                             ("promote", {}), ("demote", {}), ("stop", {})):
            for pid in pids:
                if os.path.exists(f"/proc/{pid}"):
                    os.kill(pid, signal.SIGSTOP)
            began = time.monotonic()
            self.one.run(action, timeout="6000", **meta)
            self.assertLess(time.monotonic() - began, 6, action)

    def test_a_server_may_take_as_long_to_start_as_the_operation_may(self):
        self.set("slow-start", "3")
        self.assertEqual(self.one.run("start", timeout="3000"), FAILED)
        self.assertEqual(self.one.run("start", timeout="30000"), OK, self.one.said)

    # --- stop ---

    def test_a_stop_ends_servers_whose_pidfiles_are_empty_or_gone(self):
        self.start(self.one)
        pids = [self.one.pid(which) for which in ("nb", "sb")]
        self.one.pidfile("nb").write_text("")
        self.one.pidfile("sb").unlink()
        self.assertEqual(self.one.run("stop"), OK, self.one.said)
        for pid in pids:
            self.assertFalse(alive(pid))

    def test_a_monitor_sees_servers_whose_pidfiles_are_gone(self):
        self.start(self.one)
        for which in ("nb", "sb"):
            self.one.pidfile(which).unlink()
        self.assertEqual(self.monitor(self.one), OK)

    def test_a_hung_server_is_killed_by_a_stop(self):
        self.start(self.one)
        pid = self.one.pid("nb")
        os.kill(pid, signal.SIGSTOP)
        self.assertEqual(self.one.run("stop"), OK, self.one.said)
        self.assertFalse(alive(pid))

    # --- without the program ---

    def test_without_the_program_what_runs_is_seen_and_can_be_stopped(self):
        self.start(self.one)
        (self.programs / "tandem-agent").unlink()
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.one.run("promote"), NOT_INSTALLED)
        self.assertEqual(self.one.run("stop"), OK, self.one.said)
        self.assertIsNone(self.one.pid("nb"))
        self.assertEqual(self.one.run("monitor"), NOT_RUNNING)
        self.assertEqual(self.one.run("start"), NOT_INSTALLED)
        self.assertEqual(self.published(self.one)[0], "stopped")
        self.assertEqual(self.score(self.one), BAN)

    def without_program(self):
        """ovs-appctl asks the servers, in the program's place."""
        (self.programs / "tandem-agent").unlink()
        appctl = self.programs / "ovs-appctl"
        appctl.write_text(f"#!/bin/sh\nexec timeout 5 {HERE}/appctl \"$@\"\n")
        appctl.chmod(0o755)

    def test_without_the_program_an_active_fails_since_nobody_grants_it_the_role(self):
        self.start(self.one)
        self.one.serve("backup replicating 5 100", "active writable 5 100")
        self.without_program()
        self.assertEqual(self.one.run("monitor"), PROMOTED, "both servers are asked")
        self.assertEqual(self.one.run("monitor", **PROMOTED_MONITOR), FAILED_PROMOTED)
        self.assertEqual(self.one.run("demote"), FAILED)
        self.assertIsNone(self.one.pid("sb"), "nothing is written any more")

    def test_without_the_program_a_question_is_answered(self):
        self.start(self.one)
        self.without_program()
        self.before_promotion(self.two, on_node=self.one.name)
        self.one.run("notify", notify_type="pre", notify_operation="promote", notify_promote_uname=self.two.name,
                     notify_slave_uname=self.one.name)
        self.assertEqual(self.published(self.one), ["silent", "-", "-", "-", "-", self.one.name])

    def test_the_agent_may_be_replaced_in_place_while_it_runs(self):
        copy = self.cluster / "agent"
        shutil.copy(AGENT, copy)
        environment = self.one.environment({})
        self.set("slow-start", "1")
        running = subprocess.Popen([copy, "start"], env=environment, stdout=subprocess.DEVNULL)
        time.sleep(0.3)
        copy.write_text("#!/bin/sh\n" + "exit 99\n" * 2000)
        self.assertEqual(running.wait(timeout=20), OK)

    # --- the node's name, and the Connection rows ---

    def test_servers_are_told_how_pacemaker_calls_their_node(self):
        """A demotion knows its successor by that name, which may not be the host's."""
        self.start(self.one)
        self.assertTrue(all(f"--node-name={self.one.name}" in call for call in self.one.calls("ovn-ctl")))
        (self.one.path / "node-name").write_text("other\n")
        self.monitor(self.one)
        self.assertIn(f"tandem/node-name {self.one.name}", self.one.asked("nb"))

    def test_what_a_backup_lacks_after_a_demotion_is_told(self):
        self.one.serve("active writable 5 100")
        (self.one.path / "lacks").write_text(f"lacks {self.two.name} OVN_Northbound 5:90\n")
        self.assertEqual(self.one.run("demote", notify_promote_uname=self.two.name), OK)
        self.assertIn(f"lacks {self.two.name} OVN_Northbound 5:90", self.one.said)
        self.assertTrue(any(f"--successor {self.two.name}" in line for line in self.one.asked("nb")))

    def test_a_connection_row_that_could_not_be_written_is_tried_again(self):
        self.set("away", "ovn-nbctl")
        self.promoted()
        self.assertTrue(self.one.calls("ovn-nbctl"))
        (self.cluster / "away").unlink()
        self.one.forget_calls()
        self.monitor(self.one, **PROMOTED_MONITOR)
        self.assertTrue(any("create Connection" in call for call in self.one.calls("ovn-nbctl")))

    # --- stock servers ---

    def test_stock_servers_are_served(self):
        self.start(self.one)
        (self.one.path / "stock").write_text("nb sb\n")
        self.one.serve("backup replicating 0 0")
        self.assertEqual(self.monitor(self.one), OK)
        self.assertEqual(self.score(self.one), 9)
        self.one.serve("backup connecting 0 0")
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), OK, self.one.said)
        self.assertIn("ovsdb-server/disconnect-active-ovsdb-server", self.one.asked("nb"))
        self.one.settle()
        self.assertEqual(self.one.run("demote"), OK)
        self.assertIn("ovsdb-server/connect-active-ovsdb-server", self.one.asked("sb"))

    def test_a_promotion_of_one_database_alone_is_undone(self):
        self.one.serve("backup connecting 5 100")
        (self.one.path / "unpromotable").write_text("nb\n")
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertIn("backup", self.one.said_by("sb"))

    def test_a_copy_that_was_promoted_by_half_is_no_candidate_until_it_follows_again(self):
        """Its Southbound database may be ahead of all others by an epoch in which nobody wrote."""
        self.start(self.one, {"copies_wait": "1"})
        self.one.serve("backup connecting 5 100")
        (self.one.path / "unpromotable").write_text("nb\n")
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertEqual(self.published(self.one)[0], "silent")
        self.monitor(self.one, {"copies_wait": "1"})
        self.assertEqual(self.published(self.one)[0], "silent")
        self.assertEqual(self.score(self.one), BAN)
        time.sleep(1)
        self.monitor(self.one, {"copies_wait": "1"})
        self.assertEqual(self.score(self.one), 1, "better than none")
        self.one.serve("backup replicating 6 101")
        self.monitor(self.one)
        self.assertEqual(self.published(self.one)[0], "live")
        self.assertEqual(self.score(self.one), 9)

    # --- what comes late ---

    def test_what_follows_an_older_promotion_does_not_undo_a_newer_one(self):
        self.one.serve("backup connecting 5 100")
        with open(self.one.path / "ovndb-ovndb_servers.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.one.run("notify", notify_type="post", notify_operation="promote", notify_promote_uname=self.two.name)
            promote = self.one.begin("promote", notify_promote_uname=self.one.name)
            time.sleep(0.3)
        self.assertEqual(self.one.end(promote), OK)
        wait_until(lambda: len(self.agents()) <= 1, "all but the keeper to end")
        self.assertIn("active", self.one.said_by("nb"))

    def test_a_monitor_says_what_it_sees_while_another_action_works(self):
        self.promoted()
        with open(self.one.path / "ovndb-ovndb_servers.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.assertEqual(self.one.run("monitor", timeout="4000", **PROMOTED_MONITOR), PROMOTED)

    def test_a_demotion_while_the_keeper_starts_a_server_leaves_that_to_the_next_monitor(self):
        self.promoted()
        self.set("slow-start", "1.5")
        self.one.kill("nb")
        wait_until(lambda: self.one.calls("ovn-ctl"), "the restart")
        self.assertEqual(self.one.run("demote"), OK, self.one.said)
        time.sleep(2)
        self.assertFalse([pid for pid, _ in self.processes() if self.one.serves("nb", pid)])
        self.assertEqual(self.monitor(self.one), OK, self.one.said)
        running = [pid for pid, _ in self.processes() if self.one.serves("nb", pid)]
        self.assertEqual(running, [self.one.pid("nb")])

    def test_northd_that_is_being_started_does_not_come_after_a_demotion(self):
        self.one.serve("backup connecting 5 100")
        managed = {"manage_northd": "yes"}
        self.assertEqual(self.one.run("promote", managed, notify_promote_uname=self.one.name), OK)
        self.set("slow-start", "1")
        self.one.run("notify", managed, notify_type="post", notify_operation="promote", notify_promote_uname=self.one.name)
        wait_until(lambda: any("start_northd" in call for call in self.one.calls("ovn-ctl")), "its start")
        self.assertEqual(self.one.run("demote", managed), OK)
        time.sleep(1.5)
        self.assertFalse((self.one.path / "northd").exists())

    # --- after the former agent, and without memory ---

    def test_the_first_monitor_after_the_former_agent_repairs_and_grants_and_ends_its_keeper(self):
        former = subprocess.Popen(["sh", "-c", "sleep 60; :", "keep-role"], start_new_session=True)
        self.addCleanup(former.wait)
        self.addCleanup(lambda: former.poll() is not None or former.kill())
        self.one.serve("active writable 5 100")
        self.publish(self.two, "final", (5, 90))
        for name, text in (("started", ""), ("keeper", f"{former.pid}\n"), ("granted", "1 40\n")):
            (self.one.path / f"ovndb-ovndb_servers.{name}").write_text(text)
        self.one.kill("sb")
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED, self.one.said)
        self.assertIsNotNone(self.one.pid("sb"))
        self.assertEqual(self.one.leases(), 1)
        self.assertIsNotNone(former.poll())
        self.assertFalse((self.one.path / "ovndb-ovndb_servers.granted").exists())

    def test_a_recurring_monitor_without_memory_does_its_work(self):
        self.one.serve("active writable 5 100")
        self.publish(self.two, "final", (5, 90))
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED, self.one.said)
        self.assertEqual(self.one.leases(), 1)
        self.assertEqual(self.score(self.one), 1000)

    # --- the name of the node ---

    def test_by_hand_the_nodes_name_is_pacemakers(self):
        self.one.serve("backup connecting 5 100")
        self.one.run("monitor", on_node="")
        self.assertEqual(self.published(self.one)[5], self.one.name)

    def test_without_a_name_nothing_is_published(self):
        self.one.serve("backup connecting 5 100")
        self.set("away", "crm_node")
        self.assertEqual(self.one.run("monitor", on_node=""), OK)
        self.assertFalse([call for call in self.one.calls("attrd_updater") if "-U" in call])

    # --- the folder of the state ---

    def test_a_missing_folder_for_the_state_is_made(self):
        environment = self.one.environment
        self.one.environment = lambda meta: environment(meta) | {"HA_RSCTMP": str(self.one.path / "new/folder")}
        self.assertEqual(self.one.run("start"), OK, self.one.said)
        self.assertTrue((self.one.path / "new/folder/ovndb-ovndb_servers.state").exists())

    def test_northd_is_not_started_after_a_demotion(self):
        """What a promotion has left to be done ends when the role does."""
        self.one.serve("backup connecting 5 100")
        managed = {"manage_northd": "yes"}
        self.assertEqual(self.one.run("promote", managed, notify_promote_uname=self.one.name), OK)
        self.one.run("notify", managed, notify_type="post", notify_operation="promote", notify_promote_uname=self.one.name)
        self.assertEqual(self.one.run("demote", managed), OK)
        calls = len(self.one.calls("ovn-ctl"))
        time.sleep(0.5)
        self.assertEqual(len(self.one.calls("ovn-ctl")), calls)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return ") Z" not in stat.read()
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    main()
