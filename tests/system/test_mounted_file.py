#!/usr/bin/python3
"""A database file that is a mount of its own, as into a container: no other file can take its name.

The folder around it is a file system of the server's, and gone when the server is: nothing may rest on what lies there.
"""

import os
import subprocess
import threading
import time
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.server import wait_until

ROUNDS = 20
WRITERS = 3
BULK = 1500  # rows
FILE = "mnt/db"


def may_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True,
                                                check=False).returncode == 0


def insert(number, text=""):
    return {"op": "insert", "table": "Switch", "row": {"name": f"{number}{text}", "number": number}}


class _Writer(threading.Thread):
    """Inserts switches, a `number` each, until the server goes: `sent` and `acknowledged`."""

    def __init__(self, server, first):
        super().__init__(daemon=True)
        self._server = server
        self._first = first
        self.sent = []
        self.acknowledged = []
        self.start()

    def run(self):
        try:
            with self._server.connect(deadline_s=0) as connection:
                for number in range(self._first, self._first + 100000):
                    self.sent.append(number)
                    connection.transact(load.DB, insert(number), {"op": "commit", "durable": number % 5 == 0})
                    self.acknowledged.append(number)
        except (OSError, Closed, AssertionError):  # or it becomes a backup
            pass


class _Reader(threading.Thread):
    """Reads FILE over and over with the tool's `check` and with the stock tool's `show-log` until it is ended."""

    def __init__(self, scratch, file):
        super().__init__(daemon=True)
        self._scratch = scratch
        self._file = file
        self._ends = threading.Event()
        self.said = set()
        self.start()

    def run(self):
        while not self._ends.is_set():
            checked = subprocess.run([environment.TOOL, "check", self._file], capture_output=True, text=True,
                                     env=self._scratch.env, cwd=self._scratch.path, check=False)
            if checked.returncode != 0:
                self.said.add(f"{checked.returncode}: {checked.stderr}{checked.stdout}")
            self._scratch.run("ovsdb-tool", "show-log", self._file, check=False)

    def end(self):
        self._ends.set()
        self.join()


class _Compactor(threading.Thread):
    """Compacts over and over until the server goes."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self._server = server
        self.start()

    def run(self):
        try:
            while True:
                self._server.control("ovsdb-server/compact", deadline_s=0)
        except (OSError, Closed):
            pass


@unittest.skipUnless(may_mount(), "needs the right to mount")
class MountedFile(SystemTest):
    def setUp(self):
        super().setUp()
        (self.scratch.path / "mnt").mkdir()
        (self.scratch.path / "real").mkdir()
        self.database("real/db", load.SCHEMA)
        self.real = self.scratch.path / "real/db"

    def mounted(self, program, file="real/db"):
        """PROGRAM as a script that runs it where FILE is mounted as `mnt/db`."""
        script = self.scratch.path / f"{program.name}-{file.replace('/', '-')}"
        script.write_text("#!/bin/sh\nexec unshare -m --propagation private sh -c '\n"
                          f"    mount -t tmpfs none mnt && : > mnt/db && mount --bind {file} mnt/db && exec \"$@\"\n"
                          f"    ' sh {program} \"$@\"\n")
        script.chmod(0o755)
        return script

    def serve(self, name="db", file="real/db", *options):
        return self.server(name, [FILE], *options, binary=self.mounted(environment.SERVER, file))

    def numbers(self, server):
        with server.connect() as connection:
            select = {"op": "select", "table": "Switch", "where": [], "columns": ["number"]}
            return {row["number"] for row in connection.transact(load.DB, select)[0]["rows"]}

    def lines(self):
        return self.real.read_bytes().count(b"\n")

    def test_it_is_compacted_and_converted(self):
        """In place: it stays the same file, which the stock tool reads; nothing else lies beside it."""
        server = self.serve()
        inode = self.real.stat().st_ino
        with server.connect() as connection:
            for number in range(20):
                connection.transact(load.DB, insert(number))
        server.appctl("ovsdb-server/compact")
        self.assertEqual(self.lines(), 4)
        self.assertIn("no other file can take its place (Device or resource busy): it is overwritten", server.log())
        self.assertEqual(sorted(os.listdir(f"/proc/{server.process.pid}/root{self.scratch.path}/mnt")),
                         [".db.~lock~", "db"])
        with server.connect() as connection:
            connection.transact(load.DB, insert(20))
            schema = load.SCHEMA | {"version": "1.0.1"}
            self.assertEqual(connection.result("convert", load.DB, schema), {})
        with server.connect() as connection:
            connection.transact(load.DB, insert(21))
        server.stop()
        self.assertEqual(self.real.stat().st_ino, inode)
        self.assertEqual(self.scratch.run("ovsdb-tool", "db-version", "real/db"), "1.0.1\n")
        self.scratch.run("ovsdb-tool", "show-log", "real/db")
        self.assertEqual(self.numbers(server.start()), set(range(22)))

    def test_the_tool_compacts_it(self):
        server = self.serve()
        with server.connect() as connection:
            for number in range(5):
                connection.transact(load.DB, insert(number))
        server.stop()
        self.assertGreater(self.lines(), 4)
        self.scratch.run(self.mounted(environment.TOOL), "compact", FILE)
        self.assertEqual(self.lines(), 4)
        self.assertEqual(self.numbers(server.start()), set(range(5)))

    def test_what_is_acknowledged_survives_ends_amid_compactions(self):
        """Those that are killed and those that are told to exit; who reads the file sees no damage but a torn tail."""
        server = self.serve()
        reader = _Reader(self.scratch, "real/db")
        self.addCleanup(reader.end)
        with server.connect() as connection:
            connection.transact(load.DB, *[insert(-1 - row, "x" * 2000) for row in range(BULK)])
        sent, acknowledged = set(range(-BULK, 0)), set(range(-BULK, 0))
        for kill in range(ROUNDS):
            compactor = _Compactor(server)
            writers = [_Writer(server, (kill * WRITERS + w) * 1000000) for w in range(WRITERS)]
            some = self.random.randrange(1, 200)
            wait_until(lambda: sum(len(w.acknowledged) for w in writers) >= some, "commits")
            before = server.log().count("it is overwritten")
            wait_until(lambda: server.log().count("it is overwritten") > before, "a compaction", poll_s=0.001)
            time.sleep(self.random.uniform(0, 0.03))
            if self.random.random() < 0.75:
                server.kill()
            else:
                server.stop()
            for thread in [compactor, *writers]:
                thread.join()
            sent.update(*[w.sent for w in writers])
            acknowledged.update(*[w.acknowledged for w in writers])
            server.start()
            found = self.numbers(server)
            self.assertEqual(acknowledged - found, set(), "acknowledged, and lost")
            self.assertEqual(found - sent, set(), "never sent")
        server.stop()
        reader.end()
        self.assertNotIn("|ERR|", server.log())
        self.scratch.run("ovsdb-tool", "show-log", "real/db")
        self.assertEqual({text for text in reader.said
                          if not text.endswith("; try again\n") and "its last record is torn" not in text}, set())

    def test_what_is_acknowledged_survives_changes_of_the_role_amid_compactions(self):
        """Of a pair whose files are both mounted: demotions, promotions, and kills of the active."""
        self.database("real/other", load.SCHEMA)
        active = self.serve()
        backup = self.serve("other", "real/other", f"--sync-from={active.socket}")
        with active.connect() as connection:
            connection.transact(load.DB, *[insert(-1 - row, "x" * 2000) for row in range(BULK)])
        acknowledged = set(range(-BULK, 0))
        for change in range(ROUNDS // 4):
            backup.appctl("tandem/wait-synced")
            compactors = [_Compactor(active), _Compactor(backup)]
            writers = [_Writer(active, (change * WRITERS + w) * 1000000) for w in range(WRITERS)]
            some = self.random.randrange(1, 200)
            wait_until(lambda: sum(len(w.acknowledged) for w in writers) >= some, "commits")
            before = active.log().count("it is overwritten")
            wait_until(lambda: active.log().count("it is overwritten") > before, "a compaction", poll_s=0.001)
            active.control("tandem/demote", backup.socket)
            backup.control("tandem/promote")
            active.kill()
            compactors[0].join()
            for writer in writers:
                writer.join()
            acknowledged.update(*[w.acknowledged for w in writers])
            self.assertEqual(acknowledged - self.numbers(backup), set(), "acknowledged, and lost")
            active.start()
            active.control("tandem/demote", backup.socket)
            active, backup = backup, active
        backup.appctl("tandem/wait-synced")
        self.assertEqual(active.dump(load.DB), backup.dump(load.DB))
        for server in (active, backup):
            self.assertNotIn("|ERR|", server.log())


if __name__ == "__main__":
    main()
