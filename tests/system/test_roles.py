#!/usr/bin/python3
"""Roles as operators and cluster managers change and see them: the tandem/ commands, leases, listeners."""

import json
import os
import pathlib
import shutil
import signal
import socket
import threading
import time

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed, Connection
from harness.ports import accepts, free_port
from harness.proxy import Proxy
from harness.server import wait_until

INSERT = {"op": "insert", "table": "Switch"}


def accepts_control(path):
    try:
        Connection(f"unix:{path}", deadline_s=0).close()
        return True
    except OSError:
        return False


class Roles(SystemTest):
    def start(self, name, *options, file=None):
        file = file or f"{name}.db"
        if not (self.scratch.path / file).exists():
            self.database(file, load.SCHEMA)
        return self.server(name, [file], *options)

    def write(self, server, name):
        """Inserts a row; the error that the server answers, or none."""
        with server.connect() as connection:
            return connection.result("transact", load.DB, INSERT | {"row": {"name": name}})[-1].get("error")

    def status(self, server):
        return json.loads(server.appctl("tandem/status", "--format", "json"))

    def position(self, server):
        epoch, index, digest = server.appctl("tandem/position", load.DB).split()
        return int(epoch), int(index), digest

    def refused(self, server, *command):
        """The text of the error that a control command is answered with."""
        with self.assertRaises(AssertionError) as caught:
            server.control(*command)
        return str(caught.exception)

    def pair(self, *options):
        active = self.start("active")
        backup = self.start("backup", f"--sync-from={active.socket}", *options)
        self.wait_until_heard(active, backup)
        return active, backup

    def wait_until_heard(self, active, backup):
        """BACKUP replicates before ACTIVE has read what it acknowledges: waits for both."""
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), "replication")
        wait_until(lambda: [(follower["in_sync"], follower["lag_records"]) for follower in self.followers(active)]
                   == [(True, 0)], "an acknowledgement")

    def followers(self, active):
        return self.status(active)["databases"][0]["followers"]

    def test_a_file_that_was_never_written_is_at_index_0(self):
        server = self.start("active")
        self.assertEqual(self.position(server)[:2], (0, 0))
        self.assertIsNone(self.write(server, "a"))
        self.assertEqual(self.position(server)[:2], (0, 1))
        server.appctl("ovsdb-server/compact")
        self.assertEqual(self.position(server)[:2], (0, 1))
        self.assertEqual(server.appctl("tandem/position"), f"{load.DB} " + server.appctl("tandem/position", load.DB))
        self.assertIn("no database by that name", self.refused(server, "tandem/position", "nil"))

    def test_a_backup_that_never_synced_is_promoted_only_by_force(self):
        server = self.start("backup", "--sync-from=unix:nowhere.sock")
        self.assertIn("never in sync", self.refused(server, "tandem/promote"))
        self.assertEqual(self.status(server)["role"], "backup")
        self.assertEqual(self.write(server, "a"), "not allowed")
        server.appctl("tandem/promote", "--force")
        self.assertEqual(self.status(server)["role"], "active")
        self.assertEqual(self.position(server)[0], 1)
        self.assertIsNone(self.write(server, "a"))

    def test_promotion_opens_an_epoch_and_demotion_follows_at_once(self):
        active, backup = self.pair()
        self.assertIsNone(self.write(active, "a"))
        backup.appctl("tandem/wait-synced", "--timeout", "5")
        backup.appctl("tandem/promote")
        self.assertEqual(self.position(backup)[0], self.position(active)[0] + 1)
        self.assertIsNone(self.write(backup, "b"))
        active.appctl("tandem/demote", backup.socket)
        active.appctl("tandem/wait-synced", "--timeout", "5")
        self.assertEqual(self.write(active, "c"), "not allowed")
        wait_until(lambda: active.dump(load.DB) == backup.dump(load.DB), "equal contents", seconds=5)
        self.assertIn("state: backup", active.appctl("ovsdb-server/sync-status"))

    def test_a_demotion_waits_longer_for_the_backup_that_is_to_be_active(self):
        active = self.start("active")
        link = Proxy(active.socket)
        self.addCleanup(link.close)
        backup = self.start("backup", f"--sync-from={link.address}")
        self.wait_until_heard(active, backup)
        link.hold()
        self.assertIsNone(self.write(active, "a"))
        back_again = threading.Timer(1.5, link.release)
        back_again.start()
        active.appctl("tandem/demote", "unix:nowhere.sock", "--successor", socket.gethostname())
        self.assertEqual(self.position(backup), self.position(active))
        back_again.join()

    def test_a_demotion_says_which_backups_lack_something(self):
        active = self.start("active")
        link = Proxy(active.socket)
        self.addCleanup(link.close)
        backup = self.start("backup", f"--sync-from={link.address}", "--node-name=b")
        wait_until(lambda: self.followers(active), "the backup to connect")
        self.assertIsNone(self.write(active, "a"))
        self.wait_until_heard(active, backup)
        link.hold()
        self.assertIsNone(self.write(active, "b"))
        self.assertEqual(active.appctl("tandem/demote", "unix:nowhere.sock"), f"lacks b {load.DB} 0:1\n")
        link.release()
        # A backup has nothing to drain.
        self.assertEqual(active.appctl("tandem/demote", "unix:nowhere.sock"), "")

    def test_a_demotion_says_when_all_have_everything(self):
        active, _ = self.pair("--node-name=b")
        self.assertIsNone(self.write(active, "a"))
        self.assertEqual(active.appctl("tandem/demote", "unix:nowhere.sock", "--successor=b"), "drained\n")

    def test_a_demotion_to_a_server_that_lacks_something_is_undone(self):
        active, backup = self.pair("--node-name=b")
        self.assertIsNone(self.write(active, "a"))
        epoch = self.position(active)[0]
        command = ("tandem/demote", "unix:nowhere.sock", "--if-drained")
        self.assertIn("--if-drained needs --successor", self.refused(active, *command))
        self.assertIn(f"lacks c {load.DB} 0:0", self.refused(active, *command, "--successor=c"))
        self.assertTrue(self.status(active)["writable"])
        self.assertIsNone(self.write(active, "b"))
        self.assertEqual(self.position(active)[0], epoch)
        self.assertEqual(active.appctl(*command, "--successor=b"), "drained\n")
        self.assertEqual(self.write(active, "c"), "not allowed")
        self.assertEqual(self.position(backup), self.position(active))

    def test_a_backup_is_known_by_the_name_of_its_node(self):
        active, backup = self.pair()

        def nodes():
            return [follower["node"] for follower in self.followers(active)]

        wait_until(lambda: nodes() == [socket.gethostname()], "the follower", seconds=5)
        backup.appctl("tandem/node-name", "b")
        self.assertEqual(backup.appctl("tandem/node-name"), "b\n")
        wait_until(lambda: nodes() == ["b"], "the new name", seconds=5)

    def test_a_backup_of_a_silent_server_says_stale_not_replicating(self):
        active, backup = self.pair()
        active.suspend()
        try:
            wait_until(lambda: "stale: " in backup.appctl("ovsdb-server/sync-status"), "silence to be seen")
            self.assertNotIn("replicating", backup.appctl("ovsdb-server/sync-status"))
            self.assertEqual(self.write(backup, "a"), "not allowed")
        finally:
            os.kill(active.process.pid, signal.SIGCONT)
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), "replication")

    def test_demotion_needs_an_active_server(self):
        server = self.start("active")
        self.assertIn("not specified", self.refused(server, "tandem/demote"))
        self.assertIsNone(self.write(server, "a"))

    def test_waiting_for_a_sync_that_does_not_come_ends_in_time(self):
        server = self.start("backup", "--sync-from=unix:nowhere.sock")
        begun = time.monotonic()
        self.assertIn("not in sync", self.refused(server, "tandem/wait-synced", "--timeout", "0.3"))
        self.assertLess(time.monotonic() - begun, 5)

    def test_an_active_server_whose_lease_runs_out_is_read_only_until_it_is_renewed(self):
        port = free_port()
        server = self.start("active", f"--active-remote=ptcp:{port}:127.0.0.1")
        self.assertEqual(server.appctl("tandem/lease"), "off\n")
        server.appctl("tandem/lease", "0.5")
        self.assertIsNone(self.write(server, "a"))
        self.assertTrue(accepts(port))
        wait_until(lambda: not self.status(server)["writable"], "the lease to run out")
        self.assertEqual(self.write(server, "b"), "not allowed")
        with server.connect() as client:
            self.assertEqual(client.reply(client.request("convert", [load.DB, load.SCHEMA]))["error"]["error"],
                             "not allowed")
        self.assertEqual(self.status(server)["role"], "active")
        self.assertEqual(self.status(server)["lease"]["state"], "expired")
        wait_until(lambda: "role lease of 0.5 s has run out" in server.log(), "the log", seconds=1)
        wait_until(lambda: not accepts(port), "the role-bound remote to close", seconds=1)
        server.appctl("tandem/lease", "60")
        self.assertIsNone(self.write(server, "b"))
        self.assertTrue(accepts(port))
        server.appctl("tandem/lease", "off")
        self.assertEqual(self.status(server)["lease"]["state"], "unarmed")

    def test_a_server_that_was_stopped_beyond_its_lease_takes_no_write_when_it_goes_on(self):
        server = self.start("active")
        with server.connect() as connection:
            server.appctl("tandem/lease", "0.3")
            server.suspend()
            requests = [connection.request("transact", [load.DB, INSERT | {"row": {"name": f"n{i}"}}])
                        for i in range(50)]
            time.sleep(0.5)
            os.kill(server.process.pid, signal.SIGCONT)
            for request in requests:
                self.assertEqual(connection.reply(request)["result"][-1]["error"], "not allowed")

    def test_a_backup_that_makes_way_for_another_active_ends_the_lease_of_the_old_one(self):
        active, backup = self.pair()
        active.appctl("tandem/lease", "60")
        with active.connect() as stranger:
            stranger.send({"method": "tandem_depose", "params": [], "id": None})
            self.assertEqual(stranger.result("echo", 1), [1])
        self.assertTrue(self.status(active)["writable"], "no follower has said it")
        backup.appctl("tandem/demote", "unix:nowhere.sock", "--depose")
        wait_until(lambda: not self.status(active)["writable"], "the lease to end", seconds=5)
        self.assertEqual(self.write(active, "a"), "not allowed")
        self.assertEqual(self.status(active)["role"], "active")
        # Whoever grants leases may not know: only a promotion, which opens another epoch, gives the role back.
        for word in ("60", "off"):
            self.assertIn("was made active in epoch", self.refused(active, "tandem/lease", word))
        self.assertEqual(self.write(active, "a"), "not allowed")
        before = self.position(active)[0]
        active.appctl("tandem/promote")
        self.assertGreater(self.position(active)[0], before)
        self.assertIsNone(self.write(active, "b"))
        active.appctl("tandem/lease", "60", "--epoch", str(self.position(active)[0]))

    def test_a_deposed_server_stays_so_over_a_crash(self):
        active = self.start("active", "--monitor")
        backup = self.start("backup", f"--sync-from={active.socket}")
        self.wait_until_heard(active, backup)
        active.appctl("tandem/lease", "60")
        backup.appctl("tandem/demote", "unix:nowhere.sock", "--depose")
        wait_until(lambda: not self.status(active)["writable"], "the lease to end", seconds=5)
        pidfile = self.scratch.path / "active.pid"
        pid = pidfile.read_text().strip()
        os.kill(int(pid), signal.SIGKILL)
        wait_until(lambda: pidfile.exists() and pidfile.read_text().strip() not in ("", pid), "a new server")
        wait_until(lambda: accepts_control(self.scratch.path / "active.ctl"), "its control socket")
        self.assertIn("was made active in epoch", self.refused(active, "tandem/lease", "60"))

    def test_a_lease_for_another_epoch_is_refused(self):
        server = self.start("active")
        self.assertIn("epoch", self.refused(server, "tandem/lease", "60", "--epoch", "7"))
        self.assertEqual(server.appctl("tandem/lease"), "off\n")

    def test_a_copy_that_goes_less_far_than_another_is_not_promoted(self):
        active, backup = self.pair()
        self.assertIsNone(self.write(active, "a"))
        backup.appctl("tandem/wait-synced")
        epoch, index, _ = self.position(active)
        self.assertIn("behind", self.refused(backup, "tandem/promote", "--least", f"{epoch}:{index + 1}"))
        self.assertEqual(self.status(backup)["role"], "backup")
        self.assertIsNone(self.write(active, "b"))
        backup.appctl("tandem/wait-synced")
        backup.appctl("tandem/promote", "--least", f"{epoch}:{index + 1}")
        self.assertEqual(self.status(backup)["role"], "active")

    def test_a_server_whose_role_nobody_grants_is_not_deposed(self):
        active, backup = self.pair()
        backup.appctl("tandem/demote", "unix:nowhere.sock", "--depose")
        wait_until(lambda: "another server is being made active" in active.log(), "the log", seconds=5)
        self.assertIsNone(self.write(active, "a"))

    def test_a_lease_of_a_backup_counts_from_its_promotion(self):
        _, backup = self.pair()
        backup.appctl("tandem/lease", "0.4")
        time.sleep(0.6)
        backup.appctl("tandem/promote")
        self.assertTrue(self.status(backup)["writable"])
        wait_until(lambda: not self.status(backup)["writable"], "the lease to run out")

    def test_who_asked_for_a_lock_asks_anew_after_a_change_of_role(self):
        """Also when it lives through such changes: a holder at a backup would take itself for the only one."""
        active, backup = self.pair()
        with active.connect() as holder, backup.connect() as refused:
            for client in (holder, refused):
                client.result("set_db_change_aware", True)
            self.assertEqual(holder.result("lock", "l"), {"locked": True})
            self.assertIn("read only", refused.call("lock", "l")["error"])
            backup.appctl("tandem/promote")
            active.appctl("tandem/demote", backup.socket)
            for client in (holder, refused):
                with self.assertRaises(Closed):
                    client.result("echo", 1)
        with backup.connect() as client:
            self.assertEqual(client.result("lock", "l"), {"locked": True})

    def test_role_bound_remotes_listen_only_while_active(self):
        port = free_port()
        active, backup = self.pair(f"--active-remote=ptcp:{port}:127.0.0.1")
        self.assertFalse(accepts(port))
        with backup.connect() as aware:
            aware.result("set_db_change_aware", True)
            backup.appctl("tandem/promote")
            self.assertTrue(accepts(port))
            with socket.create_connection(("127.0.0.1", port)) as bound:
                bound.settimeout(5)
                backup.appctl("tandem/demote")
                self.assertEqual(bound.recv(1), b"", "the connection is closed")
                self.assertFalse(accepts(port))
            self.assertEqual(aware.result("echo", "still there"), ["still there"])
        self.assertIn(f"ptcp:{port}:127.0.0.1", backup.appctl("ovsdb-server/list-remotes"))
        self.assertNotIn("listen failed", backup.log())

    def test_role_bound_remotes_may_stand_in_a_database(self):
        schema = json.loads(json.dumps(load.SCHEMA))
        schema["tables"]["Config"] = {"isRoot": True, "columns": {
            "remotes": {"type": {"key": "string", "min": 0, "max": "unlimited"}}}}
        self.database("active.db", schema)
        shutil.copy(self.scratch.path / "active.db", self.scratch.path / "backup.db")
        active, backup = self.pair(f"--active-remote=db:{load.DB},Config,remotes")
        port = free_port()
        with active.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "Config",
                                          "row": {"remotes": f"ptcp:{port}:127.0.0.1"}})
        backup.appctl("tandem/wait-synced")
        time.sleep(0.1)
        self.assertFalse(accepts(port))
        backup.appctl("tandem/promote")
        self.assertTrue(accepts(port))
        self.assertFalse([line for line in backup.log().splitlines() if "|WARN|" in line])

    def test_an_active_that_no_backup_hears_refuses_what_it_cannot_keep(self):
        server = self.start("active", "--sync-replicas=1", "--sync-fallback=block", "--max-requests=20000")
        with server.connect() as connection:
            insert = {"op": "insert", "table": "Switch", "row": {}}
            ids = [connection.request("transact", [load.DB, insert]) for _ in range(10_000)]
            wait_until(lambda: self.status(server)["databases"][0]["gate"]["waiting"] == 10_000, "all to wait")
            for _ in range(2):
                self.assertEqual(connection.call("transact", load.DB, insert)["error"]["error"], "resources exhausted")
            server.appctl("tandem/sync-replicas", "0")
            self.assertEqual([connection.receive()["id"] for _ in ids], ids)

    def test_a_role_bound_remote_binds_an_address_that_is_not_here_yet(self):
        port = free_port()
        server = self.start("active", f"--active-remote=ptcp:{port}:192.0.2.77")
        self.assertNotIn("WARN", server.log())
        listening = [line.split() for line in open("/proc/net/tcp")]
        self.assertTrue([words for words in listening if words[1] == f"4D0200C0:{port:04X}"])

    def test_the_monitor_starts_a_killed_server_again_in_its_role(self):
        port = free_port()
        self.start("active")
        backup = self.start("backup", f"--sync-from={self.scratch.path}/nowhere.sock".replace("=/", "=unix:/"),
                            "--monitor", f"--active-remote=ptcp:{port}:127.0.0.1")
        backup.appctl("tandem/promote", "--force")
        backup.appctl("tandem/lease", "60")
        backup.appctl("tandem/sync-replicas", "0", "700", "block")
        pidfile = self.scratch.path / "backup.pid"
        for _ in range(2):
            pid = int(pidfile.read_text())
            os.kill(pid, signal.SIGKILL)
            begun = time.monotonic()
            wait_until(lambda: pidfile.exists() and pidfile.read_text().strip() not in ("", str(pid))
                       and accepts(port), "the server to come back", poll_s=0.002)
            took = time.monotonic() - begun
            print(f"back after {1000 * took:.0f} ms", flush=True)
            self.assertLess(took, environment.timeout_s(1.5))
        status = self.status(backup)
        self.assertEqual((status["role"], status["lease"]["state"]), ("active", "held"))
        self.assertEqual(backup.appctl("tandem/sync-replicas"), "0 700 block\n")
        self.assertIsNone(self.write(backup, "a"))


if __name__ == "__main__":
    main()
