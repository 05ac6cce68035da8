#!/usr/bin/python3
"""A pair of this version and of an older one, either of them the active: what docs/operating.md promises in "Versions".

TANDEM_OLDER names the older tandem-server, which has to be built from its own sources. Not in CI.
"""

import os
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from harness import environment, load  # noqa: E402
from harness.case import SystemTest, main  # noqa: E402
from harness.proxy import Proxy, messages  # noqa: E402
from harness.server import wait_until  # noqa: E402

NEWER, OLDER = environment.SERVER, os.environ.get("TANDEM_OLDER")


@unittest.skipUnless(OLDER, "TANDEM_OLDER names no program")
class Versions(SystemTest):
    """ONE is the active at first, TWO its backup, which follows it through a proxy."""

    def pair(self, one, two, *options):
        for name in ("one", "two"):
            self.database(f"{name}.db", load.SCHEMA)
        self.one = self.server("one", ["one.db"], *options, binary=one)
        self.link = Proxy(self.one.socket)
        self.addCleanup(self.link.close)
        self.two = self.server("two", ["two.db"], f"--sync-from={self.link.address}", *options, binary=two)

    def write(self, server, transactions=40):
        writer = load.Writer(server, random.Random(self.random.random()))
        wait_until(lambda: writer.failure or writer.committed >= transactions, "the load")
        writer.finish()
        self.assertIsNone(writer.failure)

    def wait_equal(self):
        """Equal contents, and equal histories."""
        def digests():
            return {server.appctl("tandem/position", load.DB) for server in (self.one, self.two)}
        wait_until(lambda: len(digests()) == 1, f"equal copies, which are at {digests()}")
        self.assertEqual(self.one.dump(load.DB), self.two.dump(load.DB))

    def modes(self):
        """How the backup has been served: resume, compare, rows; since the last call."""
        found = [message["result"]["mode"] for message in messages(self.link.to_client)
                 if isinstance(message.get("result"), dict) and "mode" in message["result"]]
        self.link.to_client.clear()
        self.link.to_server.clear()
        return found

    def both_ways(self, check):
        for one, two in ((OLDER, NEWER), (NEWER, OLDER)):
            with self.subTest(active=str(one), backup=str(two)):
                check(one, two)
                self.doCleanups()
                self.setUp()

    def test_a_backup_follows_and_resumes(self):
        def check(one, two):
            self.pair(one, two)
            self.write(self.one)
            self.wait_equal()
            self.modes()
            self.link.block()
            self.write(self.one)
            self.link.unblock()
            self.wait_equal()
            self.assertEqual(self.modes(), ["resume"])
            # Away for the time of a crash of either.
            self.two.kill()
            self.write(self.one)
            self.two.start()
            self.wait_equal()
            self.assertEqual(self.modes(), ["resume"])
            self.one.kill()
            self.one.start()
            self.write(self.one)
            self.wait_equal()
            self.assertEqual(set(self.modes()), {"resume"})
        self.both_ways(check)

    def test_what_only_the_former_active_had_is_set_aside_and_rows_are_compared(self):
        def check(one, two):
            self.pair(one, two)
            self.write(self.one)
            self.wait_equal()
            self.link.block()
            self.write(self.one, 5)  # what the backup never gets
            self.two.appctl("tandem/promote")
            self.write(self.two, 5)
            self.modes()
            self.one.appctl("tandem/demote", self.two.socket)
            self.wait_equal()
            self.assertEqual(len(list(self.scratch.path.glob("one.db.diverged-*"))), 1)
        self.both_ways(check)

    def test_the_role_moves_there_and_back(self):
        def check(one, two):
            self.pair(one, two)
            active, backup = self.one, self.two
            for _ in range(4):
                self.write(active, 10)
                self.wait_equal()
                active.appctl("tandem/demote", backup.socket)
                backup.appctl("tandem/promote")
                active, backup = backup, active
                self.write(active, 10)
                self.wait_equal()
            self.assertEqual(list(self.scratch.path.glob("*.diverged-*")), [])
        self.both_ways(check)

    def test_commits_wait_for_the_backup(self):
        def check(one, two):
            self.pair(one, two)
            wait_until(lambda: "replicating" in self.two.appctl("ovsdb-server/sync-status"), "the backup")
            self.one.appctl("tandem/sync-replicas", "1", "20000", "block")
            self.write(self.one)
            self.wait_equal()
            self.link.hold()
            with self.one.connect() as connection:
                held = connection.request("transact", [load.DB, {"op": "insert", "table": "Switch", "row": {"name": "held"}}])
                self.assertRaises(TimeoutError, connection.reply, held, timeout=1)
                self.link.release()
                self.assertIsNone(connection.reply(held)["error"])
            self.wait_equal()
        self.both_ways(check)

    def test_one_after_the_other_is_replaced_and_put_back(self):
        def check(one, two):
            self.pair(one, one)
            self.write(self.one)
            self.wait_equal()
            for program in (two, one):
                # The backup, and then, when the role has moved to it, the other.
                for server, other in ((self.two, self.one), (self.one, self.two)):
                    server.stop()
                    server.binary = program
                    server.options = [f"--sync-from={other.socket}"]
                    server.start()
                    self.write(other)
                    self.wait_equal()
                    other.appctl("tandem/demote", server.socket)
                    server.appctl("tandem/promote")
                    self.write(server)
                    self.wait_equal()
            self.assertEqual(list(self.scratch.path.glob("*.diverged-*")), [])
        self.both_ways(check)


if __name__ == "__main__":
    main()
