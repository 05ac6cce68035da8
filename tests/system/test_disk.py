#!/usr/bin/python3
"""Disks that are full, limits on files, and bad media, on real files: what is refused, and what is there afterwards."""

import os
import resource
import subprocess
import unittest

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.surface import DB, SurfaceTest, insert
from harness.server import wait_until


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class Disk(SurfaceTest):
    def setUp(self):
        super().setUp()
        self.next = 0

    def transact(self, *operations):
        with Connection(self.socket) as peer:
            return peer.result("transact", DB, *operations)

    def write(self):
        """Inserts a row; its number, or the error."""
        self.next += 1
        outcome = self.transact(insert(self.next), {"op": "comment", "comment": "x" * 500})
        return outcome[-1] if len(outcome) == 3 else self.next

    def numbers(self):
        rows = self.transact({"op": "select", "table": DB, "where": [], "columns": ["number"]})[0]["rows"]
        return sorted(row["number"] for row in rows)

    def numbers_in_file(self, file):
        text = self.scratch.run("ovsdb-tool", "query", file, f'["{DB}",{{"op":"select","table":"{DB}",'
                                '"where":[],"columns":["number"]}]')
        return sorted(int(word.strip("{}[]\" \n")) for word in text.split('"number":')[1:] for word in [word.split("}")[0]])

    def write_until_refused(self):
        for _ in range(10000):
            if isinstance(outcome := self.write(), dict):
                return outcome
        raise AssertionError("the disk is never full")

    def serve(self, *prefix, file="db"):
        """Starts the server by way of PREFIX, which may change what it finds."""
        process = subprocess.Popen([*prefix, str(environment.SERVER), "--pidfile", "--log-file", "-vconsole:off",
                                    "--remote=punix:db.sock", file], env=self.scratch.env, cwd=self.path)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")
        return process

    @unittest.skipUnless(may_mount(), "needs the right to mount")
    def test_a_full_disk(self):
        """Transactions fail with the stock server's error; memory and file agree; all goes on with space."""
        (self.path / "mnt").mkdir()
        self.serve("unshare", "-m", "--propagation", "private", "sh", "-c",
                   "mount -t tmpfs -o size=128k none mnt && mv db mnt && exec \"$@\"", "sh", file="mnt/db")
        disk = f"/proc/{self.pid()}/root{self.path}/mnt"
        error = {"error": "I/O error", "details": "mnt/db: write failed", "io-error": "No space left on device"}
        self.assertEqual(self.write(), 1)
        with self.assertRaises(OSError):
            with open(f"{disk}/filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 4096)
        self.assertEqual(self.write_until_refused(), error)
        self.assertEqual(self.write(), error)
        there = self.numbers()
        self.assertNotIn(self.next, there)
        self.assertEqual(self.numbers_in_file(f"{disk}/db"), there)
        self.assertEqual(self.refusal("ovsdb-server/compact"),
                         "I/O error: mnt/db.tmp: write failed (No space left on device)")
        self.assertEqual(self.numbers_in_file(f"{disk}/db"), there)
        fault = f"{DB}: I/O error: mnt/db: write failed (No space left on device)"
        self.assertIn(f"writable: no\nhealth: {fault}\n", self.ctl("tandem/status"))

        os.unlink(f"{disk}/filler")
        self.assertEqual(self.write(), self.next)
        self.assertIn("writable: yes\n", self.ctl("tandem/status"))
        self.ctl("ovsdb-server/compact")
        self.assertEqual(self.write(), self.next)
        self.assertEqual(self.numbers(), [*there, self.next - 1, self.next])
        self.assertEqual(self.numbers_in_file(f"{disk}/db"), self.numbers())
        self.assertEqual(self.ctl("ovsdb-server/get-db-storage-status", DB), "status: ok\n")
        self.assertEqual(sorted(os.listdir(disk)), [".db.~lock~", "db"])
        # Once at the beginning of the trouble, not once a transaction.
        self.assertEqual(len([line for line in self.troubles() if "db: write failed" in line]), 1)
        self.assertIn("writing succeeds again", self.log())

    @unittest.skipUnless(may_mount(), "needs the right to mount")
    def test_a_full_disk_that_takes_small_writes(self):
        """It is full until there is room, whatever small writes it takes between large ones, and also if nobody writes then."""
        (self.path / "mnt").mkdir()
        self.serve("unshare", "-m", "--propagation", "private", "sh", "-c",
                   "mount -t tmpfs -o size=4m none mnt && mv db mnt && exec \"$@\"", "sh", file="mnt/db")
        disk = f"/proc/{self.pid()}/root{self.path}/mnt"
        with self.assertRaises(OSError):
            with open(f"{disk}/filler", "wb", buffering=0) as filler:
                while True:
                    filler.write(b"x" * 4096)
        # What remains of the file's last page is enough for small ones.
        large = {"op": "comment", "comment": "x" * 5000}
        for number in range(3):
            self.assertEqual(self.transact(insert(100 + number), large)[-1]["error"], "I/O error")
            self.assertIn("writable: no\n", self.ctl("tandem/status"))
            self.assertIn("uuid", self.transact(insert(number))[0])
            self.assertIn("writable: no\n", self.ctl("tandem/status"))
        os.unlink(f"{disk}/filler")
        wait_until(lambda: "writable: yes\n" in self.ctl("tandem/status"), "the server to see that there is room")
        self.transact(insert(50))
        self.assertEqual(len([line for line in self.troubles() if "db: write failed" in line]), 1)
        self.assertEqual(self.numbers_in_file(f"{disk}/db"), [0, 1, 2, 50])

    def test_a_limit_on_the_size_of_files(self):
        """RLIMIT_FSIZE: an error and no signal; the server goes on when the limit is lifted."""
        process = self.serve()
        self.assertEqual(self.write(), 1)
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (os.path.getsize(self.path / "db") + 900, hard))
        error = {"error": "I/O error", "details": "db: write failed", "io-error": "File too large"}
        self.assertEqual(self.write_until_refused(), error)
        self.assertEqual(self.write(), error)
        self.assertEqual(self.numbers_in_file("db"), self.numbers())
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        self.assertEqual(self.write(), self.next)
        self.assertEqual(self.numbers_in_file("db"), self.numbers())

    def test_a_log_on_a_full_disk_stops_nobody(self):
        """The log file is /dev/full: transactions go on."""
        os.symlink("/dev/full", self.path / "ovsdb-server.log")
        self.serve()
        self.assertEqual([self.write(), self.write()], [1, 2])
        self.assertEqual(self.numbers_in_file("db"), [1, 2])


if __name__ == "__main__":
    main()
