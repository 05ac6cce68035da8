#!/usr/bin/python3
"""A disk that hangs: the writer is blocked for as long as it does, and all else goes on."""

import json
import os
import subprocess
import unittest
import urllib.request
import uuid

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.ports import free_port
from harness.server import create_database, wait_until
from harness.surface import DB, SCHEMA, SurfaceTest, insert

BUSY = "the server is busy, and nothing was changed: try again later"


def may_freeze():
    """Needs loop devices and the right to mount."""
    return os.geteuid() == 0 and os.path.exists("/dev/loop-control") and subprocess.run(
        ["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class FrozenFileSystem(SurfaceTest):
    """A server whose database has a file system of its own, in a name space of its own."""

    log_option = "--log-file"
    options = ()

    def setUp(self):
        super().setUp()
        self.prepare()
        (self.path / "mnt").mkdir()
        subprocess.run("truncate -s 16M img && mkfs.ext4 -q img", shell=True, check=True, cwd=self.path)
        self.process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c",
             'mount -o loop img mnt && mv db mnt && exec "$@"', "sh", str(environment.SERVER), "--pidfile",
             self.log_option, "-vconsole:off", "--remote=punix:db.sock", *self.options, "mnt/db"],
            env=self.scratch.env, cwd=self.path)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.terminate)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")
        self.disk = os.open(f"/proc/{self.pid()}/root{self.path}/mnt", os.O_RDONLY)
        self.addCleanup(self.thaw)

    def prepare(self):
        """Before the server starts."""

    def freeze(self):
        subprocess.run(["fsfreeze", "-f", f"/proc/self/fd/{self.disk}"], check=True, pass_fds=[self.disk])

    def thaw(self):
        if self.disk < 0:
            return
        subprocess.run(["fsfreeze", "-u", f"/proc/self/fd/{self.disk}"], check=False, pass_fds=[self.disk],
                       capture_output=True)
        os.close(self.disk)
        self.disk = -1

    def hang(self):
        """A write that hangs, and the connection that waits for it."""
        writer = Connection(self.socket)
        self.addCleanup(writer.close)
        self.freeze()
        writer.send({"method": "transact", "params": [DB, insert(1)], "id": 7})
        wait_until(lambda: BUSY in self.ask("ovsdb-server/compact"), "the writer to be blocked")
        return writer

    def ask(self, *words):
        done = self.scratch.run("ovs-appctl", "--timeout=20", "-t", "ovsdb-server", *words, check=False)
        return done.stdout + done.stderr


@unittest.skipUnless(may_freeze(), "needs the right to mount and loop devices")
class HungDisk(FrozenFileSystem):
    """The log file is elsewhere."""

    def test_the_control_socket_answers_meanwhile(self):
        """From what is known, or that nothing was done; and what was refused stays undone."""
        create_database(self.scratch, "other", SCHEMA | {"name": "other"})
        writer = self.hang()
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), f"_Server\n{DB}\n")
        self.assertEqual(self.ctl("ovsdb-server/get-db-storage-status", DB), "status: ok\n")
        self.assertIn("monitors:0", self.ctl("memory/show"))
        self.assertIn("role: active", self.ctl("tandem/status"))
        self.assertIn(f"{DB}                    OFF", self.ctl("ovsdb-server/tlog-list"))
        for words in (("ovsdb-server/compact",), ("tandem/demote", "unix:nil"), ("ovsdb-server/remove-db", DB),
                      ("ovsdb-server/add-db", "other"), ("ovsdb-server/add-remote", f"db:{DB},{DB},name")):
            with self.subTest(words):
                self.assertEqual(self.refusal(*words), BUSY)
        self.ctl("ovsdb-server/add-remote", "punix:more.sock")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"), "punix:db.sock\npunix:more.sock\n")
        self.assertTrue((self.path / "more.sock").exists())
        self.ctl("tandem/sync-replicas", "0")
        self.ctl("ovsdb-server/tlog-set", f"{DB}:{DB}", "on")
        self.assertIn("Open vSwitch", self.ctl("version"))
        self.thaw()
        self.assertEqual(writer.receive()["id"], 7)
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), f"_Server\n{DB}\n")
        self.assertIn("role: active", self.ctl("tandem/status"))
        self.ctl("ovsdb-server/add-db", "other")
        self.ctl("ovsdb-server/compact")
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), f"_Server\n{DB}\nother\n")

    def test_the_status_says_so(self):
        """As soon as it has taken longer than slow disks do, until it answers again."""
        writer = self.hang()
        wait_until(lambda: "the disk has not answered for" in self.log(), "the log to say so")
        status = self.ctl("tandem/status")
        self.assertRegex(status, rf"writable: no\nhealth: {DB}: the disk has not answered for \d+s\n")
        self.assertRegex(self.ctl("tandem/status", "--format=short"), rf"{DB} active failing \d+ \d+\n")
        self.assertIn("the disk has not answered", self.ctl("ovsdb-server/get-db-storage-status", DB))
        self.thaw()
        self.assertEqual(writer.receive()["id"], 7)
        self.assertIn("writable: yes\n", self.ctl("tandem/status"))
        wait_until(lambda: f"{DB}: the disk answers again" in self.log(), "the log to say so")

    def test_no_success_after_the_lease(self):
        """Whatever the disk has taken by then, another server may be active: only a new lease tells."""
        self.ctl("tandem/lease", "3")
        writer = self.hang()
        wait_until(lambda: "the role lease has run out" in self.ctl("tandem/status"), "the end of the lease")
        self.thaw()
        self.assertEqual(writer.receive()["error"]["error"], "not allowed")
        with Connection(self.socket) as client:
            with self.assertRaisesRegex(AssertionError, "not allowed"):
                client.transact(DB, insert(2))
            self.ctl("tandem/lease", "60")
            client.transact(DB, insert(3))

    def test_clients_are_served_meanwhile(self):
        """Also by the only thread that clients have, which was writing when the disk began to hang."""
        with Connection(self.socket) as old:
            old.result("monitor", DB, "m", {DB: {}})
            writer = self.hang()
            for client in (old, Connection(self.socket)):
                client.timeout = 5
                self.assertEqual(client.result("echo", "here"), ["here"])
                self.assertEqual(client.result("list_dbs"), ["_Server", DB])
                self.assertEqual(client.result("get_schema", DB)["name"], DB)
            self.thaw()
            self.assertEqual(writer.receive()["id"], 7)
            self.assertEqual(old.receive()["method"], "update")
            old.transact(DB, insert(2))

    def test_clients_read_what_is_published_meanwhile(self):
        """Also with the only thread that clients have, and what they asked for before anybody knew."""
        with Connection(self.socket) as old, Connection(self.socket) as both:
            old.transact(DB, insert(0))
            watched = old.result("monitor_cond_since", DB, "m", {DB: [{"columns": ["number"]}]}, str(uuid.UUID(int=0)))
            writer = Connection(self.socket)
            self.addCleanup(writer.close)
            self.freeze()
            writer.send({"method": "transact", "params": [DB, insert(1)], "id": 7})
            select = {"op": "select", "table": DB, "where": [], "columns": ["number"]}
            for client in (old, Connection(self.socket), Connection(self.socket)):
                client.timeout = 5
                for _ in range(3):
                    self.assertEqual(client.transact(DB, select), [{"rows": [{"number": 0}]}])
                rows = client.result("monitor", DB, "n", {DB: {"columns": ["number"]}})[DB].values()
                self.assertEqual(list(rows), [{"new": {"number": 0}}])
                found, last, _ = client.result("monitor_cond_since", DB, "o", {DB: [{"columns": ["number"]}]},
                                               watched[1])
                self.assertEqual((found, last), (True, watched[1]))
                client.result("monitor_cond_change", "o", "o", {DB: [{"where": [["number", "==", 1]]}]})
            both.send({"method": "transact", "params": [DB, insert(2)], "id": 8})
            both.send({"method": "transact", "params": [DB, select], "id": 9})
            self.assertEqual(both.result("echo", 1), [1], "it waits for its own write")
            self.thaw()
            self.assertEqual(writer.receive()["id"], 7)
            self.assertEqual([both.receive()["id"] for _ in range(2)], [8, 9])
            updates = []
            while len(updates) < 2:
                updates += [note["params"] for note in [client.receive()] if note["method"] == "update"]
            self.assertEqual([[row["new"]["number"] for row in update[1][DB].values()] for update in updates],
                             [[1], [2]])

    def check_reads(self, numbers):
        """Clients that were there, and new ones, read these within their time."""
        with Connection(self.socket) as client:
            client.timeout = 5
            select = {"op": "select", "table": DB, "where": [], "columns": ["number"]}
            rows = client.transact(DB, select)[0]["rows"]
            self.assertEqual(sorted(row["number"] for row in rows), numbers)
            rows = client.result("monitor", DB, "n", {DB: {"columns": ["number"]}})[DB].values()
            self.assertEqual(sorted(row["new"]["number"] for row in rows), numbers)

    def test_clients_read_while_a_conversion_hangs(self):
        """The rows as they are before it; and the status says that nothing can be written."""
        schema = json.loads(json.dumps(SCHEMA))
        schema["tables"][DB]["columns"]["more"] = {"type": "integer"}
        with Connection(self.socket) as owner:
            owner.transact(DB, insert(1))
            self.freeze()
            owner.send({"method": "convert", "params": [DB, schema], "id": 7})
            wait_until(lambda: BUSY in self.ask("ovsdb-server/compact"), "the writer to be blocked")
            for _ in range(3):
                self.check_reads([1])
            wait_until(lambda: "writable: no" in self.ctl("tandem/status"), "the status to say so")
            self.assertIn("the disk has not answered", self.ctl("tandem/status"))
            self.check_reads([1])
            self.thaw()
            self.assertEqual(owner.receive(), {"id": 7, "result": {}, "error": None})
        with Connection(self.socket) as later:
            self.assertIn("more", later.result("get_schema", DB)["tables"][DB]["columns"])
        self.assertIn("writable: yes", self.ctl("tandem/status"))

    def test_clients_read_while_a_compaction_hangs(self):
        """Its first step, which makes a file."""
        with Connection(self.socket) as writer:
            writer.transact(DB, insert(1))
        self.freeze()
        compaction = subprocess.Popen(["ovs-appctl", "-t", "ovsdb-server", "ovsdb-server/compact"],
                                      env=self.scratch.env, cwd=self.path)
        self.addCleanup(compaction.wait)
        wait_until(lambda: BUSY in self.ask("tandem/demote", "unix:nil"), "the writer to be blocked")
        for _ in range(3):
            self.check_reads([1])
        self.thaw()
        self.assertEqual(compaction.wait(timeout=60), 0)

    def test_a_backup_begins_meanwhile(self):
        """It gets what the log holds, and may be promoted."""
        with Connection(self.socket) as writer:
            writer.transact(DB, insert(1))
        create_database(self.scratch, "other", SCHEMA)
        self.hang()
        backup = subprocess.Popen([str(environment.SERVER), "--unixctl=backup.ctl", "-vconsole:off",
                                   f"--sync-from={self.socket}", "--remote=punix:backup.sock", "other"],
                                  env=self.scratch.env, cwd=self.path)
        self.addCleanup(backup.wait)
        self.addCleanup(backup.terminate)
        wait_until(lambda: (self.path / "backup.ctl").exists(), "the backup")
        status = lambda: self.scratch.run("ovs-appctl", "-t", f"{self.path}/backup.ctl", "tandem/status",
                                          "--format=short")
        wait_until(lambda: "replicating" in status(), "the backup to follow")
        with Connection(f"unix:{self.path}/backup.sock") as reader:
            select = {"op": "select", "table": DB, "where": [], "columns": ["number"]}
            self.assertEqual(reader.transact(DB, select), [{"rows": [{"number": 1}]}])

    def test_others_are_served_while_a_command_waits(self):
        """One client's command is under way; another's is answered."""
        self.hang()
        with Connection(f"unix:{self.path}/ovsdb-server.{self.pid()}.ctl") as waiting:
            waiting.send({"method": "tandem/demote", "params": ["unix:nil"], "id": 1})
            self.assertIn("Open vSwitch", self.ctl("version"))
            self.assertEqual(waiting.receive()["error"], BUSY + "\n")

    def test_the_end_does_not_wait_for_the_disk(self):
        """Its sockets and pidfile go, so that others may take over; the process as soon as the kernel lets it."""
        self.hang()
        self.ctl("exit")
        self.wait_gone()
        self.assertIn("exiting without waiting for it", self.log())
        self.thaw()
        self.assertEqual(self.process.wait(timeout=60), 0)


@unittest.skipUnless(may_freeze(), "needs the right to mount and loop devices")
class HungDiskOfTheLog(FrozenFileSystem):
    """The log file is on the disk that hangs."""

    log_option = "--log-file=mnt/log"

    def log(self):
        with open(f"/proc/{self.pid()}/root{self.path}/mnt/log", encoding="utf-8") as file:
            return file.read()

    def test_nobody_waits_for_it(self):
        """What is said meanwhile is in the file afterwards, in order."""
        writer = self.hang()
        for i in range(200):
            self.ctl("vlog/message", "info", f"message {i}.")
        self.thaw()
        self.assertEqual(writer.receive()["id"], 7)
        wait_until(lambda: "|message 199." in self.log(), "the log to be written")
        said = [line.rpartition("|")[2] for line in self.log().splitlines() if "|message " in line]
        self.assertEqual(said, [f"message {i}." for i in range(200)])

    def test_the_status_says_so(self):
        """Of the database and of the log file, until both are well."""
        writer = self.hang()
        wait_until(lambda: "health: log file" in self.ctl("tandem/status"), "the status to say so")
        self.assertRegex(self.ctl("tandem/status"), rf"writable: no\nhealth: {DB}: the disk has not answered for \d+s\n"
                                                    r"health: log file: \S+/mnt/log: the disk has not answered for \d+s\n")
        self.thaw()
        self.assertEqual(writer.receive()["id"], 7)
        wait_until(lambda: "health:" not in self.ctl("tandem/status"), "the status to be well")

    def test_it_is_opened_anew_when_the_disk_answers(self):
        """Meanwhile the command says so, and the control socket goes on."""
        there = f"/proc/{self.pid()}/root{self.path}/mnt"
        os.rename(f"{there}/log", f"{there}/log.1")
        self.freeze()
        for _ in range(8):
            self.assertIn("the disk does not answer: the log file is opened or closed when it does",
                          self.ask("vlog/reopen"))
        self.assertIn("Open vSwitch", self.ctl("version"))
        self.assertIn("role: active", self.ctl("tandem/status"))
        self.thaw()
        wait_until(lambda: os.path.exists(f"{there}/log") and "opened log file" in self.log(), "the log file")
        self.ctl("vlog/reopen")
        self.ctl("vlog/message", "info", "and on")
        self.assertIn("|and on\n", self.log())

    def test_what_was_asked_for_last_is_done(self):
        """However many commands came before it; and each says that it is not done yet."""
        there = f"/proc/{self.pid()}/root{self.path}/mnt"
        os.rename(f"{there}/log", f"{there}/log.1")
        self.freeze()
        for command in ["vlog/reopen"] * 6 + ["vlog/close"]:
            self.assertIn("the log file is opened or closed when it does", self.ask(command))
        self.thaw()
        wait_until(lambda: "health: log file" not in self.ctl("tandem/status"), "the status to be well")
        wait_until(lambda: not self.has_log_open(), "the log file to be closed")

    def has_log_open(self):
        """The server, whatever the file's name is by now."""
        files = f"/proc/{self.pid()}/fd"
        return any("/mnt/log" in os.readlink(f"{files}/{number}") for number in os.listdir(files))

    def test_what_is_too_much_is_lost_and_counted(self):
        """Nothing is waited for, and no memory without bounds is kept."""
        self.hang()
        for _ in range(400):
            self.ctl("vlog/message", "info", "x" * 4000)
        self.thaw()
        self.ctl("vlog/message", "info", "and on")
        wait_until(lambda: "Dropped" in self.log(), "the log to say so")
        self.assertRegex(self.log(), r"Dropped \d+ log messages")


@unittest.skipUnless(may_freeze(), "needs the right to mount and loop devices")
class HungDiskOfTheBackup(FrozenFileSystem):
    """The server on the disk that hangs follows another one, whose commits wait for it."""

    def prepare(self):
        self.http = free_port()
        create_database(self.scratch, "active", SCHEMA)
        active = subprocess.Popen([str(environment.SERVER), "--unixctl=active.ctl", "--log-file=active.log",
                                   "-vconsole:off", "--sync-replicas=1", "--sync-fallback=block",
                                   f"--http=127.0.0.1:{self.http}", "--remote=punix:active.sock", "active"],
                                  env=self.scratch.env, cwd=self.path)
        self.addCleanup(active.wait)
        self.addCleanup(active.terminate)
        wait_until(lambda: (self.path / "active.sock").exists(), "the active")
        self.options = (f"--sync-from=unix:{self.path}/active.sock",)

    def page(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{name}", timeout=30) as page:
            return page.read().decode()

    def status(self, *words):
        return self.scratch.run("ovs-appctl", "-t", f"{self.path}/active.ctl", "tandem/status", *words)

    def reads_go_on(self, numbers):
        """They see what is published: what no backup has is not, and nobody but its writer waits for it."""
        with Connection(f"unix:{self.path}/active.sock", timeout=5) as reader:
            rows = reader.transact(DB, {"op": "select", "table": DB, "where": []})[0]["rows"]
            self.assertEqual([row["number"] for row in rows], numbers)
            monitored = reader.result("monitor", DB, "m", {DB: {}})[DB]
            self.assertEqual([row["new"]["number"] for row in monitored.values()], numbers)

    def test_the_active_says_that_commits_wait_for_it(self):
        """In words, in all places; and is fit, since no other server would answer them."""
        wait_until(lambda: "replicating" in self.ctl("tandem/status", "--format=short"), "the backup to follow")
        with Connection(f"unix:{self.path}/active.sock") as writer:
            writer.transact(DB, insert(1))
            self.assertEqual(self.page("active"), "active\n")
            self.freeze()
            writer.send({"method": "transact", "params": [DB, insert(2)], "id": 7})
            words = f"{DB}: commits have waited "
            wait_until(lambda: words in self.page("active"), "the page to say so")
            self.assertTrue(self.page("active").startswith(f"active\nwarning: {words}"))
            self.assertTrue(self.page("healthz").startswith(f"healthy\nwarning: {words}"))
            self.assertIn(f"writable: yes\nhealth: {words}", self.status())
            self.assertIn(f"{DB} active writable", self.status("--format=short"))
            waiting = [line for line in self.page("metrics").splitlines() if line.startswith("tandem_gate_waiting_s")]
            self.assertGreaterEqual(float(waiting[0].split()[1]), 5)
            wait_until(lambda: f"|WARN|{words}" in self.log("active.log"), "the log to say so")
            self.reads_go_on([1])
            self.thaw()
            self.assertEqual(writer.receive()["id"], 7)
            wait_until(lambda: self.page("healthz") == "healthy\n", "the page to be well")
            wait_until(lambda: f"|INFO|{DB}: commits wait for backups no longer" in self.log("active.log"),
                       "the log to say so")


if __name__ == "__main__":
    main()
