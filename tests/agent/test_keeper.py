#!/usr/bin/python3
"""The keeper: what it does between the actions while an instance has the role."""
import os
import shutil
import signal
import subprocess
import time

from cluster import AgentTest, BAN, HERE, OK, PROGRAM, PROMOTED, PROMOTED_MONITOR, main, wait_until


class Keeper(AgentTest):
    def test_servers_that_die_with_their_monitor_processes_are_restarted_without_a_monitor_action(self):
        self.promoted()
        for which in ("nb", "sb"):
            self.one.kill(which)
        wait_until(lambda: all(self.one.said_by(which).startswith("active") and self.one.pid(which)
                               for which in ("nb", "sb")), "both servers to be active again")

    def test_a_server_that_dies_while_the_other_is_restarted_is_restarted_too(self):
        self.promoted()
        self.set("slow-start", "1")
        self.one.kill("nb")
        wait_until(lambda: self.one.calls("ovn-ctl"), "the restart of the first")
        self.one.kill("sb")
        wait_until(lambda: all(self.one.pid(which) and self.one.said_by(which).startswith("active")
                               for which in ("nb", "sb")), "both servers to be active again")
        self.assertFalse([call for call in self.one.calls("crm_resource") if "--fail" in call])

    def test_a_server_that_hangs_is_restarted_without_a_monitor_action(self):
        self.promoted()
        pid = self.one.pid("nb")
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: self.one.pid("nb") not in (None, pid) and self.one.said_by("nb").startswith("active"),
                   "the server to be active again")

    def test_but_not_beside_another_active_nor_without_quorum(self):
        self.promoted()
        self.set("quorum", "0")
        self.one.kill("nb")
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))
        self.publish(self.two, "active", (6, 1))
        self.set("quorum", "1")
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))

    def test_nor_while_the_resource_is_not_managed(self):
        self.promoted()
        self.set("is-managed", "false")
        self.one.kill("nb")
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))

    def test_nor_in_maintenance_of_the_resource_or_of_the_node(self):
        for name in ("maintenance", "node-maintenance"):
            self.promoted()
            self.set(name, "true")
            self.one.kill("nb")
            time.sleep(1.5)
            self.assertIsNone(self.one.pid("nb"), name)
            self.one.forget()
            wait_until(lambda: not self.agents(), "the keeper's end")
            (self.cluster / name).unlink()

    def test_what_was_told_to_end_is_left_to_the_monitor(self):
        """An administrator converts the database offline, say."""
        self.promoted()
        self.one.tell("nb", "exit")
        wait_until(lambda: not self.one.pid("nb"), "the server's end")
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertIsNotNone(self.one.pid("nb"))

    def test_a_server_that_starts_slowly_fails_no_monitor_where_no_backup_has_everything(self):
        self.promoted()
        self.publish(self.two, "cut", (5, 90))
        self.set("slow-start", "6")
        for which in ("nb", "sb"):
            self.one.kill(which)
        wait_until(lambda: self.one.calls("ovn-ctl"), "the restart")
        self.assertEqual(self.one.run("monitor", **PROMOTED_MONITOR, timeout="2000"), PROMOTED, self.one.said)
        wait_until(lambda: all(self.one.said_by(which).startswith("active") and self.one.pid(which)
                               for which in ("nb", "sb")), "both servers to be active again")
        self.assertFalse([call for call in self.one.calls("crm_resource") if "--fail" in call])

    def test_but_where_one_has_everything_that_is_promoted(self):
        """Pacemaker would wait for the new start of one that has failed."""
        self.promoted()
        self.publish(self.two, "live", (5, 100), None, "2", "-", "11", "-", "-")
        self.set("slow-start", "30")
        self.one.kill("nb")
        wait_until(lambda: self.score(self.one) == BAN, "the ban", 15)
        self.assertFalse([call for call in self.one.calls("crm_resource") if "--fail" in call])
        self.assertEqual(self.one.run("demote", notify_promote_uname=self.two.name), OK, self.one.said)

    def test_a_demotion_does_not_wait_for_what_does_not_run(self):
        self.promoted()
        self.set("slow-start", "30")
        self.one.kill("nb")
        began = time.monotonic()
        self.assertEqual(self.one.run("demote"), OK, self.one.said)
        self.assertLess(time.monotonic() - began, 15)
        self.assertIn("backup", self.one.said_by("sb"))

    def test_a_server_that_keeps_dying_is_reported_to_pacemaker(self):
        self.promoted()
        for _ in range(3):
            self.one.kill("nb")
            wait_until(lambda: self.one.pid("nb") and self.one.said_by("nb").startswith("active"), "a restart")
            self.one.settle()
        self.one.kill("nb")
        wait_until(lambda: any("--fail" in call for call in self.one.calls("crm_resource")), "the report")

    def test_a_demotion_ends_the_keeper_and_leaves_no_process_behind(self):
        self.promoted()
        self.assertEqual(self.one.run("demote"), OK)
        wait_until(lambda: subprocess.run(["flock", "-n", self.one.path / "ovndb-ovndb_servers.keeper", "true"],
                                          check=False).returncode == 0, "the keeper's end")

    def test_no_keeper_lives_on_when_its_folder_is_gone(self):
        self.promoted()
        self.assertTrue(self.agents())
        shutil.rmtree(self.one.path)
        wait_until(lambda: not self.agents(), "the keeper's end")

    def test_a_keeper_that_may_do_nothing_asks_seldom(self):
        self.promoted()
        self.set("is-managed", "false")
        self.one.forget_calls()
        self.one.kill("nb")
        time.sleep(4)
        self.assertLessEqual(len(self.one.calls()), 3, self.one.calls())

    def test_a_keeper_grants_and_announces_nothing_after_a_demotion(self):
        """It asks corosync, which takes long, when the demotion comes."""
        (self.programs / "corosync-quorumtool").unlink()
        slow = self.programs / "corosync-quorumtool"
        slow.write_text("#!/bin/sh\necho corosync-quorumtool >>\"$HERE/calls\"\nsleep 1\n")
        slow.chmod(0o755)
        self.promoted({"role_lease": "4"})
        self.one.forget_calls()
        wait_until(lambda: self.one.calls("corosync"), "the keeper's look")
        self.assertEqual(self.one.run("demote"), OK)
        wait_until(lambda: not self.agents(), "the keeper's end")
        self.assertEqual(self.published(self.one)[0], "final")

    def test_a_server_that_the_keeper_starts_does_not_come_after_the_stop(self):
        self.promoted()
        self.set("slow-start", "1.5")
        self.one.kill("nb")
        wait_until(lambda: self.one.calls("ovn-ctl"), "the restart")
        self.assertEqual(self.one.run("stop"), OK, self.one.said)
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))

    def test_the_keeper_goes_by_the_programs_name_and_goes_on_as_the_new_one_after_an_upgrade(self):
        program = self.programs / "tandem-agent"
        program.unlink()
        shutil.copy(PROGRAM, program)
        self.promoted()
        keeper, = [pid for pid, path in self.processes() if path.name == "tandem-agent"]
        with open(f"/proc/{keeper}/comm", encoding="utf-8") as name:
            self.assertEqual(name.read().strip(), "tandem-agent")
        shutil.copy(PROGRAM, self.cluster / "new")
        (self.cluster / "new").rename(program)
        wait_until(lambda: os.readlink(f"/proc/{keeper}/exe") == str(program), "the new program")


if __name__ == "__main__":
    main()
