#!/usr/bin/python3
"""What the agent decides, in a cluster that consists of files: stub stands for Pacemaker's tools and for the servers."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
from harness.server import wait_until  # noqa: E402

AGENT = pathlib.Path(__file__).resolve().parents[2] / "ocf/ovndb-servers"
STUB = pathlib.Path(__file__).resolve().parent / "stub"
PROGRAMS = ["attrd_updater", "corosync-quorumtool", "crm_attribute", "crm_node", "crm_resource", "ovn-ctl", "tandem-ctl"]
OK, FAILED, NOT_RUNNING, PROMOTED, FAILED_PROMOTED = 0, 1, 7, 8, 9  # OCF's exit codes
POSITION, SCORE = "position-ovndb_servers", "master-ovndb_servers"


class Node:
    """One node: its agent, and two processes that live for its servers."""

    def __init__(self, cluster, programs, name, host):
        self.cluster = cluster
        self.programs = programs
        self.name = name
        self.host = host
        self.path = cluster / ("node-" + name)
        self.path.mkdir()
        self.servers = []  # those that are this process's children

    def environment(self, meta):
        meta = {"on_node": self.name, "interval": "0", "timeout": "20000"} | meta
        if self.host != self.name:
            meta |= {"physical_host": self.host, "container_attribute_target": "host"}
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}", "CLUSTER": str(self.cluster), "HERE": str(self.path),
            "OCF_ROOT": "/usr/lib/ocf", "HA_RSCTMP": str(self.path), "OVN_RUNDIR": str(self.path),
            "OCF_RESOURCE_INSTANCE": "ovndb_servers", "OCF_RESKEY_master_ip": "192.0.2.10",
            "OCF_RESKEY_tandem_dir": str(self.programs), "OCF_RESKEY_ovn_ctl": f"{self.programs}/ovn-ctl",
            **{f"OCF_RESKEY_CRM_meta_{key}": value for key, value in meta.items()}}

    def run(self, action, parameters=None, **meta):
        """Runs an action of the agent; returns its exit code."""
        environment = self.environment(meta)
        for key, value in (parameters or {}).items():
            environment["OCF_RESKEY_" + key] = value
        done = subprocess.run([AGENT, action], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        self.said = done.stdout.decode()
        return done.returncode

    def serve(self, nb, sb=None):
        """Both servers run, and say this of themselves: ROLE LINK EPOCH INDEX."""
        for which, word in (("nb", nb), ("sb", sb or nb)):
            self.say(which, word)
            if not self.pid(which):
                server = subprocess.Popen([self.programs / "ovsdb-server", "120"], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.servers.append(server)
                self.pidfile(which).write_text(f"{server.pid}\n")

    def say(self, which, word):
        (self.path / which).write_text(word + "\n")

    def said_by(self, which):
        return (self.path / which).read_text().strip()

    def pidfile(self, which):
        return self.path / f"ovn{which}_db.pid"

    def pid(self, which):
        """The pid of a server that lives."""
        try:
            pid = int(self.pidfile(which).read_text())
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            return None if "(ovsdb-server) Z" in stat else pid
        except (FileNotFoundError, ProcessLookupError):
            return None

    def kill(self, which):
        pid = self.pid(which)
        if pid:
            os.kill(pid, signal.SIGKILL)
            for server in self.servers:
                if server.pid == pid:
                    server.wait()
            wait_until(lambda: not self.pid(which), "the server to die")
            (self.path / which).unlink()

    def leases(self):
        """How often both servers were granted a lease."""
        try:
            return min(len((self.path / f"{which}-leases").read_text().split()) for which in ("nb", "sb"))
        except FileNotFoundError:
            return 0


class AgentTest(unittest.TestCase):
    node_of = staticmethod(lambda host: host)

    def setUp(self):
        self.cluster = pathlib.Path(tempfile.mkdtemp(prefix="agent-"))
        programs = self.cluster / "programs"
        programs.mkdir()
        for name in PROGRAMS:
            (programs / name).symlink_to(STUB)
        shutil.copy("/bin/sleep", programs / "ovsdb-server")
        (self.cluster / "quorum").write_text("1\n")
        self.one, self.two = (Node(self.cluster, programs, self.node_of(host), host) for host in ("ctl1", "ctl10"))
        self.addCleanup(self.clean_up)

    def clean_up(self):
        for node in (self.one, self.two):
            for which in ("nb", "sb"):
                node.kill(which)
            (node.path / "ovndb-ovndb_servers.granted").unlink(missing_ok=True)  # ends what keeps the role
        shutil.rmtree(self.cluster, ignore_errors=True)

    def set(self, name, value):
        (self.cluster / name).parent.mkdir(exist_ok=True)
        (self.cluster / name).write_text(value + "\n")

    def publish(self, node, word, nb, sb=None):
        """Another instance says WORD, at (epoch, index) of nb and sb."""
        values = [word, *map(str, nb), *map(str, sb or nb), node.name]
        self.set(f"{POSITION}/{node.host}", ",".join(values))

    def score(self, node, value=None):
        if value is not None:
            self.set(f"{SCORE}/{node.host}", str(value))
        try:
            return int((self.cluster / SCORE / node.host).read_text())
        except FileNotFoundError:
            return None

    def before_promotion(self, node):
        """The notification that precedes a promotion of this node after the loss of another."""
        backups = f"{self.one.name} {self.two.name}"
        return node.run("notify", notify_type="pre", notify_operation="promote", notify_promote_uname=node.name,
                        notify_slave_uname=backups)


class Decisions(AgentTest):
    # --- promotion by position ---

    def test_the_one_that_is_behind_yields(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 100)
        self.score(self.two, 100)
        self.publish(self.two, "final", (5, 150))
        self.assertEqual(self.before_promotion(self.one), OK)
        self.assertEqual(self.score(self.one), 10)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertIn(f"behind {self.two.name}", self.one.said)
        self.assertIn("backup", self.one.said_by("nb"))

    def test_it_yields_also_when_the_better_one_is_quicker(self):
        """That one raises its score as soon as it sees where the chosen one is."""
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 100)
        self.score(self.two, 100)
        self.publish(self.two, "final", (5, 150))
        others = self.cluster / "others"
        others.write_text(f'#!/bin/sh\ncase $1 in final*) echo 200 >"$CLUSTER/{SCORE}/{self.two.host}" ;; esac\n')
        others.chmod(0o755)
        self.before_promotion(self.one)
        self.assertEqual(self.score(self.two), 200)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)

    def test_a_constraint_wins(self):
        """Pacemaker did not choose the better one though its score was higher all along."""
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 100)
        self.score(self.two, 200)
        self.publish(self.two, "final", (5, 150))
        self.before_promotion(self.one)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), OK)
        self.assertEqual(self.one.said_by("nb"), "active writable 6 101")

    def test_the_northbound_database_decides(self):
        self.one.serve("backup connecting 5 100", "backup connecting 5 300")
        self.score(self.one, 100)
        self.score(self.two, 100)
        self.publish(self.two, "final", (5, 101), (5, 10))
        self.before_promotion(self.one)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)

    def test_nobody_is_promoted_while_the_cluster_does_not_say_where_the_others_are(self):
        self.one.serve("backup connecting 5 100")
        self.score(self.one, 100)
        self.set("away", "attrd_updater")
        self.assertEqual(self.before_promotion(self.one), OK)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), FAILED)
        self.assertIn("does not say", self.one.said)
        (self.cluster / "away").unlink()
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), OK)

    def test_an_orderly_promotion_asks_nobody(self):
        self.one.serve("backup connecting 5 100")
        self.publish(self.two, "final", (5, 100))
        self.one.run("notify", notify_type="pre", notify_operation="promote", notify_promote_uname=self.one.name,
                     notify_demote_uname=self.two.name, notify_slave_uname=self.one.name)
        self.assertEqual(self.one.run("promote", notify_promote_uname=self.one.name), OK)

    # --- without an active ---

    def start(self, node):
        self.assertEqual(node.run("start"), OK, node.said)
        node.run("notify", notify_type="post", notify_operation="start")

    def test_a_first_start_waits_for_nobody(self):
        self.start(self.one)
        self.assertEqual(self.score(self.one), 50)

    def test_nodes_that_had_full_copies_are_waited_for(self):
        self.set("copies-ovndb_servers", f"{self.one.name} {self.two.name}")
        self.start(self.one)
        self.assertIsNone(self.score(self.one))
        self.publish(self.two, "cut", (0, 0))
        self.one.run("monitor", interval="10000")
        self.assertEqual(self.score(self.one), 50)

    def test_a_cluster_that_does_not_say_who_had_them_is_no_empty_list(self):
        self.set("away", "crm_attribute")
        self.start(self.one)
        self.assertIsNone(self.score(self.one))

    # --- monitors ---

    def test_a_backup_that_follows_has_a_score_and_one_that_is_cut_off_has_none(self):
        self.start(self.one)
        self.publish(self.two, "active", (5, 100))
        self.one.serve("backup replicating 5 90")
        self.assertEqual(self.one.run("monitor", interval="10000"), OK)
        self.assertEqual(self.score(self.one), 100)
        self.one.serve("backup connecting 5 90")
        for _ in range(2):  # once may be a moment
            self.one.run("monitor", interval="10000")
        self.assertIsNone(self.score(self.one))

    def test_a_server_that_died_is_restarted_but_not_while_the_resource_is_unmanaged(self):
        self.start(self.one)
        self.one.kill("sb")
        self.set("is-managed", "false")
        self.assertEqual(self.one.run("monitor", interval="10000"), OK)
        self.assertIsNone(self.one.pid("sb"))
        self.one.kill("nb")
        self.assertEqual(self.one.run("monitor", interval="10000"), NOT_RUNNING)
        self.set("is-managed", "true")
        self.assertEqual(self.one.run("monitor", interval="10000"), OK)
        self.assertIsNotNone(self.one.pid("nb"))
        self.assertIsNotNone(self.one.pid("sb"))

    def test_nothing_is_started_where_nothing_was(self):
        for interval in ("0", "10000"):
            self.assertEqual(self.one.run("monitor", interval=interval), NOT_RUNNING)
        self.assertIsNone(self.one.pid("nb"))

    def test_an_active_that_is_found_keeps_its_role(self):
        self.one.serve("active writable 5 100")
        self.publish(self.two, "live", (5, 90))
        self.assertEqual(self.one.run("monitor"), PROMOTED)
        self.assertEqual(self.score(self.one), 1000)
        self.one.kill("sb")
        self.assertEqual(self.one.run("monitor", role="Promoted", interval="15000"), PROMOTED)
        self.assertIsNotNone(self.one.pid("sb"))

    def test_but_not_beside_another_nor_behind_one(self):
        self.one.serve("active writable 5 100")
        for word, position in (("active", (5, 90)), ("final", (5, 90)), ("live", (6, 1))):
            self.publish(self.two, word, position)
            self.assertEqual(self.one.run("monitor"), PROMOTED)
            self.assertIsNone(self.score(self.one))


class DecisionsInABundle(Decisions):
    """The same with container-attribute-target=host: attributes are the hosts', and all else goes by the bundle's nodes."""
    node_of = staticmethod(lambda host: "bundle-of-" + host)


class Lease(AgentTest):
    def promoted(self, **parameters):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 100))
        self.assertEqual(self.one.run("monitor", parameters, role="Promoted", interval="15000"), PROMOTED)

    def test_the_role_is_granted_on_when_no_monitor_comes(self):
        self.promoted(role_lease="4")
        wait_until(lambda: self.one.leases() >= 3, "two leases more")

    def ends_by(self, harm):
        self.promoted(role_lease="4")
        harm()
        time.sleep(4)
        self.assertEqual(self.one.leases(), 1)

    def test_not_without_quorum(self):
        self.ends_by(lambda: self.set("quorum", "0"))

    def test_not_when_the_role_is_gone(self):
        self.ends_by(lambda: self.one.serve("backup replicating 5 100"))

    def test_not_when_a_backup_has_given_it_back(self):
        self.ends_by(lambda: self.one.serve("active expired 5 100"))

    def test_not_beside_another_active(self):
        self.ends_by(lambda: self.publish(self.two, "active", (6, 1)))

    def test_not_when_pacemaker_is_gone(self):
        self.ends_by(lambda: self.set("away", "crm_node"))

    def test_but_when_it_was_stopped_in_maintenance(self):
        self.promoted(role_lease="4")
        self.set("away", "crm_node")
        self.set("maintenance-mode.saved", "true")
        wait_until(lambda: self.one.leases() >= 3, "two leases more")

    def monitor(self):
        return self.one.run("monitor", role="Promoted", interval="15000")

    def test_a_lease_names_the_epoch_of_the_server_that_it_is_for(self):
        self.promoted()
        self.assertEqual((self.one.path / "nb-epoch").read_text(), "--epoch 5\n")

    def test_a_monitor_grants_nothing_when_corosync_does_not_answer(self):
        """Pacemaker goes on saying what it last heard of quorum, while others promote one of theirs."""
        self.promoted()
        self.set("hanging", "corosync-quorumtool")
        self.assertEqual(self.monitor(), PROMOTED)
        self.assertEqual(self.one.leases(), 1, "neither granted on nor taken away")

    def test_a_monitor_believes_corosync_that_there_is_no_quorum(self):
        self.promoted()
        self.set("inquorate", "")
        self.assertEqual(self.monitor(), PROMOTED)
        self.assertEqual((self.one.path / "nb-leases").read_text().split()[-1], "0.001")

    def test_a_monitor_fails_when_another_server_was_made_active(self):
        """The server was told by a backup; Pacemaker then makes it a backup, too."""
        self.promoted()
        (self.one.path / "deposed").touch()
        self.assertEqual(self.monitor(), FAILED_PROMOTED)
        self.assertEqual(self.one.leases(), 1)

    def test_a_monitor_without_quorum_ends_the_right_to_write(self):
        self.promoted()
        self.set("quorum", "0")
        self.assertEqual(self.one.run("monitor", role="Promoted", interval="15000"), PROMOTED)
        self.assertEqual((self.one.path / "nb-leases").read_text().split()[-1], "0.001")


if __name__ == "__main__":
    if not os.path.exists("/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs"):
        sys.exit(77)  # no resource agents here
    unittest.main(verbosity=2)
