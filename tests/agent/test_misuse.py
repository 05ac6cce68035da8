#!/usr/bin/python3
"""What administrators, other programs and full disks do to an instance that runs."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

from cluster import AGENT, AgentTest, BAN, FAILED, OK, POSITION, PROMOTED, PROMOTED_MONITOR, SCORE, main, wait_until

HOLDER = """
import fcntl, os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = open(sys.argv[1], "r+")
fcntl.flock(file, fcntl.LOCK_EX)
file.truncate()
file.write(str(os.getpid()))
file.flush()
print("held", flush=True)
time.sleep(1000)
"""


class Misuse(AgentTest):
    def state(self, **changes):
        """The memory, after these changes."""
        path = self.one.path / "ovndb-ovndb_servers.state"
        memory = json.loads(path.read_text()) if path.exists() else {"format": 2}
        if changes:
            path.write_text(json.dumps(memory | changes) + "\n")
        return memory | changes

    def keeper_pids(self):
        return [pid for pid in self.agents() if b"keep" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]

    # --- what changes while it runs ---

    def test_after_a_reload_the_keeper_starts_servers_with_the_new_parameters(self):
        self.promoted()
        before = self.keeper_pids()
        new = {"sync_fallback": "block", "sync_replicas": "2"}
        self.assertEqual(self.one.run("reload-agent", new), OK)
        wait_until(lambda: self.keeper_pids() and self.keeper_pids() != before, "another keeper")
        self.one.forget_calls()
        self.one.kill("nb")
        wait_until(lambda: self.one.pid("nb") and self.one.said_by("nb").startswith("active"), "the keeper to restart it")
        self.one.settle()
        starts = [call for call in self.one.calls("ovn-ctl") if "start_nb" in call]
        self.assertTrue(starts and all("--sync-replicas=2 --sync-fallback=block" in call for call in starts), starts)

    def test_after_a_reload_without_leases_none_is_granted(self):
        self.promoted({"role_lease": "2"})
        self.assertEqual(self.one.run("reload-agent", {"role_lease": "0"}), OK)
        self.assertEqual(self.one.last_lease(), "off")
        time.sleep(3)
        self.assertEqual(self.one.last_lease(), "off")

    def test_a_second_active_is_refused_however_promoted_max_is_set(self):
        self.one.serve("backup replicating 5 100")
        self.one.run("monitor")
        self.publish(self.two, "active", (5, 100))
        both = {"promoted_max": "2", "notify_master_uname": self.two.name, "notify_slave_uname": self.one.name}
        self.assertEqual(self.before_promotion(self.one, **both), OK)
        self.assertEqual(self.promote(self.one, **both), FAILED)
        self.assertIn("there can be one active only", self.one.said)
        self.assertEqual(self.score(self.one), BAN)
        self.assertTrue(self.one.said_by("nb").startswith("backup"))

    def test_nor_is_the_first_one_banned_for_its_sake(self):
        self.promoted()
        score = self.score(self.one)
        self.assertEqual(self.one.run("notify", notify_type="pre", notify_operation="promote", promoted_max="2",
                                      notify_promote_uname=self.two.name, notify_master_uname=self.one.name,
                                      notify_slave_uname=self.two.name), OK)
        self.assertEqual(self.score(self.one), score)

    def test_of_two_that_are_promoted_together_the_first_becomes_active(self):
        both = {"promoted_max": "2", "notify_promote_uname": f"{self.one.name} {self.two.name}", "notify_slave_uname": ""}
        for node in (self.one, self.two):
            node.serve("backup connecting 5 100")
        self.assertEqual(self.promote(self.two, **both), FAILED)
        self.assertEqual(self.promote(self.one, **both), OK, self.one.said)

    def test_without_notifications_nobody_is_promoted(self):
        self.one.serve("backup connecting 5 90")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 90))
        self.assertEqual(self.promote(self.one, notify="false"), FAILED)
        self.assertIn("notify=true", self.one.said)

    def test_pacemakers_other_words_for_true_and_false(self):
        self.promoted()
        self.one.kill("nb")
        for name, word, other in (("is-managed", "no", "yes"), ("is-managed", "OFF", "1"), ("maintenance", "yes", "n"),
                                  ("node-maintenance", "1", "0"), ("maintenance-mode", "On", "no")):
            self.set(name, word)
            self.monitor(self.one, **({} if name == "maintenance-mode" else PROMOTED_MONITOR))
            time.sleep(0.3)
            if name != "maintenance-mode":  # which Pacemaker's monitors do not ask for, but the keeper does
                self.assertIsNone(self.one.pid("nb"), (name, word))
            self.set(name, other)
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertTrue(self.one.pid("nb"))

    def test_the_keeper_leaves_servers_alone_in_maintenance_by_any_word(self):
        self.set("maintenance-mode", "Yes")
        self.promoted()
        self.one.kill("nb")
        time.sleep(2)
        self.assertIsNone(self.one.pid("nb"))

    def test_an_active_of_which_the_cluster_has_forgotten_everything_is_found_again(self):
        """Pacemaker was stopped and started in maintenance: attributes are gone, the servers and the memory are not."""
        self.promoted()
        score = self.score(self.one)
        for name in (POSITION, SCORE):
            shutil.rmtree(self.cluster / name)
        self.assertEqual(self.one.run("monitor"), PROMOTED)
        self.assertEqual(self.published(self.one)[0], "active")
        self.assertEqual(self.score(self.one), score)

    # --- what others have ---

    def test_where_another_program_has_the_port_nobody_is_promoted(self):
        with socket.create_server(("127.0.0.2", 0)) as taken:
            address = {"master_ip": "127.0.0.2", "sb_master_port": str(taken.getsockname()[1])}
            self.one.serve("backup replicating 5 100")
            self.assertEqual(self.monitor(self.one, address), OK)
            self.assertEqual(self.score(self.one), BAN)
            self.assertEqual(self.promote(self.one, address), FAILED)
            self.assertIn("the sb server could not listen for clients: another program listens at port", self.one.said)
            self.assertEqual(self.one.said_by("nb"), "backup replicating 5 100")
        self.assertEqual(self.monitor(self.one, address), OK)
        self.assertNotEqual(self.score(self.one), BAN)

    def test_another_servers_process_is_not_taken_for_ours(self):
        """A pid that was ours, and is that of an ovsdb-server which names no files."""
        folder = self.cluster / "foreign"
        folder.mkdir()
        shutil.copy("/bin/sleep", folder / "ovsdb-server")
        foreign = subprocess.Popen([folder / "ovsdb-server", "1000"])
        self.addCleanup(foreign.wait)
        self.addCleanup(foreign.kill)
        for action in ("stop", "start"):
            self.one.pidfile("nb").write_text(f"{foreign.pid}\n")
            self.assertEqual(self.one.run(action), OK, self.one.said)
            self.assertIsNone(foreign.poll(), action)

    def test_a_position_that_cannot_be_hinders_no_promotion(self):
        self.one.serve("backup connecting 5 100")
        for epoch in (9223372036854775806, 1 << 61, 1000 + (1 << 32)):
            self.set(f"{POSITION}/ghost", f"stopped,{epoch},5,{epoch},5,ghost,2,,11,-,-")
            self.assertEqual(self.promote(self.one), OK, self.one.said)
            above = [line for line in self.one.asked("nb") if "--above" in line][-1].split()
            self.assertLess(int(above[above.index("--above") + 1]), 100)
            self.assertEqual(self.one.run("demote"), OK)

    def test_a_copy_of_which_nothing_is_known_is_no_heir(self):
        self.promoted()
        (self.one.path / "unhealthy").write_text("1\n")
        self.set(f"{POSITION}/{self.two.host}", f"cut,5,90,-,-,{self.two.name},2,,00,-,-")
        self.assertEqual(self.monitor(self.one, **PROMOTED_MONITOR), PROMOTED)
        self.assertNotEqual(self.score(self.one), BAN)

    # --- what cannot be written, or is old ---

    def assert_stays_stopped(self):
        time.sleep(2.5)
        self.assertEqual((self.one.pid("nb"), self.one.pid("sb")), (None, None))
        self.assertEqual(self.agents(), [])

    def hang(self):
        """They are killed then, and leave their pidfiles as one that has died."""
        for which in ("nb", "sb"):
            os.kill(self.one.pid(which), signal.SIGSTOP)

    def test_what_is_stopped_stays_so_where_nothing_can_be_remembered(self):
        self.promoted()
        (self.one.path / "ovndb-ovndb_servers.state.new").mkdir()
        self.hang()
        self.assertEqual(self.one.run("demote"), OK)
        self.hang()
        self.assertEqual(self.one.run("stop"), OK)
        self.assert_stays_stopped()

    def test_nor_where_the_lock_is_held_by_one_that_does_not_end(self):
        self.promoted()
        self.one.settle()
        lock = self.one.path / "ovndb-ovndb_servers.lock"
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, lock], stdout=subprocess.PIPE)
        self.addCleanup(holder.communicate)
        self.addCleanup(holder.kill)
        holder.stdout.readline()
        self.assertEqual(self.one.run("demote", timeout="30000"), OK)
        self.hang()
        self.assertEqual(self.one.run("stop", timeout="30000"), OK)
        holder.kill()
        holder.wait()
        self.assert_stays_stopped()

    def test_times_of_an_earlier_start_of_the_machine_do_not_count(self):
        """A container's /run may outlive it."""
        self.publish(self.two, "stopped", (5, 100))
        self.set("copies-ovndb_servers", f"{self.one.name} {self.two.name}")
        self.state(boot="another", refused=True, alone_since=10**15)
        for which in ("nb", "sb"):
            self.one.say(which, "backup connecting 5 100")
        quick = {"copies_wait": "1"}
        self.start(self.one, quick)
        self.monitor(self.one, quick)
        time.sleep(1.2)
        self.monitor(self.one, quick)
        self.assertNotEqual(self.score(self.one), BAN)
        self.assertNotEqual(self.state()["boot"], "another")

    # --- how it is called ---

    def test_pacemakers_tools_are_found_without_a_path_to_them(self):
        environment = self.one.environment
        self.one.environment = lambda meta: environment(meta) | {"PATH": str(self.programs)}
        self.assertEqual(self.one.run("start"), OK, self.one.said)
        self.assertEqual(self.score(self.one), BAN)

    def test_a_reader_of_its_words_that_has_gone_ends_no_action(self):
        def run(action, gone, **meta):
            environment = self.one.environment(meta)
            reader, writer = os.pipe()
            os.close(reader)
            try:
                if gone:
                    return subprocess.call([AGENT, action], env=environment, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
                return subprocess.call(["sh", "-c", f'exec "$0" {action} >&- 2>&- <&-', AGENT], env=environment)
            finally:
                os.close(writer)

        for gone in (True, False):
            for node in (self.one, self.two):
                with contextlib.suppress(FileNotFoundError):
                    (self.cluster / POSITION / node.host).unlink()
            self.one.serve("backup connecting 5 100")
            self.assertEqual(run("start", gone), OK)
            self.assertEqual(run("promote", gone, notify_promote_uname=self.one.name), OK)
            self.assertEqual(run("monitor", gone, **PROMOTED_MONITOR), PROMOTED)
            self.one.settle()
            self.assertEqual(run("demote", gone), OK)
            self.publish(self.two, "final", (500, 100))
            self.assertEqual(run("promote", gone, notify_promote_uname=self.one.name), FAILED)
            self.assertEqual(run("stop", gone), OK)


if __name__ == "__main__":
    main()
