#!/usr/bin/python3
"""What tools see of a server: control commands beside the stock server's, the status pages over HTTP."""

import json
import re
import time
import urllib.error
import urllib.request

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Connection
from harness.ports import free_port
from harness.server import wait_until


class Http(SystemTest):
    def get(self, port, path):
        """Status, type and body of a page."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as page:
                return page.status, page.headers["Content-Type"], page.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], error.read().decode()

    def test_pages_tell_the_role(self):
        port = free_port()
        active = self.server("active", [self.database("active.db", load.SCHEMA)])
        backup = self.server("backup", [self.database("backup.db", load.SCHEMA)],
                             f"--sync-from={active.socket}", f"--http=127.0.0.1:{port}")
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), "replication")
        self.assertEqual(self.get(port, "/active")[0], 503)
        kind, metrics = self.get(port, "/metrics")[1:]
        self.assertTrue(kind.startswith("text/plain; version=0.0.4"))
        self.assertIn(f'\ntandem_active{{database="{load.DB}"}} 0\n', metrics)
        self.assertIn(f'\ntandem_replicating{{database="{load.DB}"}} 1\n', metrics)
        backup.appctl("tandem/promote")
        self.assertEqual(self.get(port, "/active?x=1")[0], 200)
        status = json.loads(self.get(port, "/status")[2])
        self.assertEqual((status["role"], status["databases"][0]["position"]["epoch"]), ("active", 1))
        self.assertEqual(self.get(port, "/nothing")[0], 404)
        backup.appctl("tandem/lease", "0.1")
        wait_until(lambda: self.get(port, "/active")[0] == 503, "the lease to run out")


class Compaction(SystemTest):
    COMMENTED = ({"op": "insert", "table": "Switch", "row": {}}, {"op": "comment", "comment": "to be dropped"})

    def test_all_databases_are_compacted_one_after_the_other(self):
        schemas = [load.SCHEMA | {"name": name} for name in ("One", "Two", "Three")]
        files = [self.database(schema["name"] + ".db", schema) for schema in schemas]
        server = self.server("server", files)
        with server.connect() as client:
            for schema in schemas:
                client.transact(schema["name"], *self.COMMENTED)
        for file in files:
            self.assertIn("to be dropped", (self.scratch.path / file).read_text())
        server.appctl("ovsdb-server/compact")
        for file in files:
            self.assertNotIn("to be dropped", (self.scratch.path / file).read_text())

    def test_a_file_that_has_grown_is_compacted_by_itself_at_its_time_of_the_day(self):
        """In a zone whose clocks show half past another hour than ours."""
        self.scratch.env["TZ"] = "XYZ-5:30"
        local = int(time.time() + 5.5 * 3600) // 60
        window = "-".join(f"{minute // 60 % 24:02}:{minute % 60:02}" for minute in (local - 60, local + 60))
        file = self.database("db.db", load.SCHEMA)
        server = self.server("server", [file], "--compact-every=1", f"--compact-window={window}")
        with server.connect() as client:
            client.transact(load.DB, *self.COMMENTED)
        wait_until(lambda: "to be dropped" not in (self.scratch.path / file).read_text(), "the compaction")
        self.assertIn(f"{load.DB}: compacting database", server.log())


class Commands(SystemTest):
    """The same commands to both servers: the same answers.

    Left out is what differs on purpose: remotes that cannot be are refused at once ("nonsense", and "pfd:"
    beyond the command line), and what has come after the release that Debian ships.
    """

    COMMANDS = (
        ("ovsdb-server/list-dbs",), ("ovsdb-server/list-remotes",), ("ovsdb-server/sync-status",),
        ("ovsdb-server/get-active-ovsdb-server",), ("ovsdb-server/connect-active-ovsdb-server",),
        ("ovsdb-server/disconnect-active-ovsdb-server",), ("ovsdb-server/get-sync-exclude-tables",),
        ("ovsdb-server/set-sync-exclude-tables", "Load:Port"), ("ovsdb-server/get-sync-exclude-tables",),
        ("ovsdb-server/set-active-ovsdb-server", "tcp:127.0.0.1:1"), ("ovsdb-server/get-active-ovsdb-server",),
        ("ovsdb-server/set-active-ovsdb-server-probe-interval", "x"),
        ("ovsdb-server/set-active-ovsdb-server-probe-interval", "1000"),
        ("ovsdb-server/set-active-ovsdb-server-probe-interval",),
        ("ovsdb-server/add-db", "nil.db"), ("ovsdb-server/add-db", "a.db"), ("ovsdb-server/add-db", "a.db", "b.db"),
        ("ovsdb-server/remove-db", "nil"), ("ovsdb-server/remove-db", "_Server"),
        ("ovsdb-server/add-remote", "db:x,y,z"),
        ("ovsdb-server/add-remote", "punix:more.sock"), ("ovsdb-server/add-remote", "punix:more.sock"),
        ("ovsdb-server/list-remotes",), ("ovsdb-server/remove-remote", "punix:more.sock"),
        ("ovsdb-server/remove-remote", "punix:more.sock"),
        ("ovsdb-server/compact",), ("ovsdb-server/compact", "Load"), ("ovsdb-server/compact", "nil"),
        ("ovsdb-server/compact", "_Server"), ("ovsdb-server/get-db-storage-status", "Load"),
        ("ovsdb-server/get-db-storage-status", "nil"), ("ovsdb-server/memory-trim-on-compaction", "on"),
        ("ovsdb-server/memory-trim-on-compaction", "maybe"), ("ovsdb-server/reconnect",),
        ("ovsdb-server/tlog-list",), ("ovsdb-server/tlog-set", "Load:Port", "on"), ("ovsdb-server/tlog-list",),
        ("ovsdb-server/tlog-set", "Load", "on"), ("ovsdb-server/tlog-set", "nil:x", "on"),
        ("ovsdb-server/tlog-set", "Load:nil", "on"), ("ovsdb-server/tlog-set", "Load:Port", "x"),
        ("ovsdb-server/perf-counters-clear",), ("coverage/read-counter", "nil"), ("nonsense",),
        ("vlog/list-pattern",), ("vlog/set", "nonsense"), ("vlog/set", "FACILITY:nil"), ("vlog/set", "ANY:file:DBG"),
        ("vlog/enable-rate-limit", "nil"), ("vlog/disable-rate-limit",), ("vlog/reopen",), ("vlog/close",),
        ("ovsdb-server/disable-monitor-cond",), ("ovsdb-server/remove-db", "Load"), ("ovsdb-server/list-dbs",),
    )

    def answers(self, binary):
        folder = self.scratch.path
        for name in (*folder.glob("a.db"), *folder.glob(".a.db*")):
            name.unlink()
        self.database("a.db", load.SCHEMA)
        server = self.server("server", ["a.db"], binary=binary)
        lines = []
        for command in self.COMMANDS:
            with Connection(f"unix:{self.scratch.path}/server.ctl") as control:
                reply = control.call(command[0], *command[1:])
            lines.append((command, reply.get("result"), reply.get("error")))
        names = re.findall(r"^  (\S+)", server.appctl("list-commands"), re.M)
        server.stop()
        return lines, set(names)

    def test_answers_are_those_of_the_stock_server(self):
        stock, stock_names = self.answers(environment.STOCK_SERVER)
        ours, names = self.answers(environment.SERVER)
        self.assertEqual(stock_names - names - {name for name in stock_names if name.startswith("cluster/")}, set())
        for theirs, mine in zip(stock, ours):
            with self.subTest(command=theirs[0]):
                self.assertEqual(mine, theirs)


if __name__ == "__main__":
    main()
