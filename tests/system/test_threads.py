#!/usr/bin/python3
"""Many client threads: each client, on whichever thread it lives, sees all of the database and in order.

The threaded whole under load, meant above all for ThreadSanitizer: monitors and their conditions come and go
while writers write, sessions open and close, locks change hands, the file is compacted and remotes are moved.
"""

import random
import threading
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.server import wait_until

ALL = {"Switch": {}, "Port": {}}


def apply_update2(tables, updates):
    """Does to TABLES ({table: {uuid, ...}}) what <table-updates2> says of the rows that are there."""
    for table, rows in updates.items():
        known = tables.setdefault(table, set())
        for uuid, change in rows.items():
            (kind,) = change
            if kind in ("initial", "insert"):
                assert uuid not in known, f"{table} {uuid} came twice"
                known.add(uuid)
            elif kind == "delete":
                known.remove(uuid)
            else:
                assert uuid in known, f"{table} {uuid} changed before it came"


class Watcher(threading.Thread):
    """Monitors everything, changes conditions back and forth, reconnects; `rows` is what it knows at the end."""

    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self._server = server
        self._rng = random.Random(seed)
        self.finish = threading.Event()
        self.rows = None
        self.failure = None
        self.start()

    def run(self):
        try:
            while not self.finish.is_set():
                self._session()
            self._watch_to_the_end()
        except (AssertionError, KeyError, OSError, Closed, TimeoutError) as error:
            self.failure = f"{type(error).__name__}: {error}"

    def _drain(self, connection, tables):
        for message in connection.notifications:
            if message["method"] == "update2":
                apply_update2(tables, message["params"][-1])
        connection.notifications.clear()

    def _session(self):
        with self._server.connect() as connection:
            tables = {}
            apply_update2(tables, connection.result("monitor_cond", load.DB, "m", ALL))
            for _ in range(self._rng.randint(1, 8)):
                where = self._rng.choice([[False], [True], [["name", "!=", "sw3"]], [["number", "==", 0]]])
                try:
                    connection.result("monitor_cond_change", "m", "m", {"Switch": [{"where": where}]})
                finally:
                    self._drain(connection, tables)
                connection.transact(load.DB, {"op": "select", "table": "Switch", "where": []})
                self._drain(connection, tables)
                if self._rng.random() < 0.3:
                    connection.result("steal", "lock")
                    connection.call("unlock", "lock")
                    self._drain(connection, tables)

    def _watch_to_the_end(self):
        with self._server.connect() as connection:
            self.rows = {}
            apply_update2(self.rows, connection.result("monitor_cond", load.DB, "m", ALL))


class Threads(SystemTest):
    @unittest.skipIf(environment.is_stock(environment.SERVER), "one thread")
    def test_clients_on_four_threads_see_the_same(self):
        server = self.server("db", [self.database("db.db", load.SCHEMA)], "--threads=4")
        writers = [load.Writer(server, random.Random(environment.SEED + i)) for i in range(3)]
        watchers = [Watcher(server, environment.SEED + i) for i in range(6)]
        loyal = server.connect()
        self.addCleanup(loyal.close)
        seen = {}
        apply_update2(seen, loyal.result("monitor_cond", load.DB, "m", ALL))

        def committed():
            return sum(writer.committed for writer in writers)

        def follow():
            loyal.result("echo")
            for message in loyal.notifications:
                apply_update2(seen, message["params"][-1])
            loyal.notifications.clear()

        for round_number in range(6):
            goal = committed() + 200
            wait_until(lambda: committed() >= goal or any(w.failure for w in writers + watchers), "writes", 60)
            follow()
            server.control("ovsdb-server/compact")
            remote = f"punix:extra{round_number}.sock"
            server.control("ovsdb-server/add-remote", remote)
            server.control("tandem/status")
            server.control("memory/show")
            server.control("ovsdb-server/remove-remote", remote)
        for writer in writers:
            writer.finish()
        for watcher in watchers:
            watcher.finish.set()
        for watcher in watchers:
            watcher.join()
            self.assertIsNone(watcher.failure)
        follow()
        with server.connect() as connection:
            now = {}
            apply_update2(now, connection.result("monitor_cond", load.DB, "m", ALL))
        for watcher in watchers:
            self.assertEqual(watcher.rows, now)
        self.assertEqual({t: r for t, r in seen.items() if r}, {t: r for t, r in now.items() if r})


if __name__ == "__main__":
    main()
