#!/usr/bin/python3
"""Backups in the situations that a site gets into: upgrades of schemas and servers, chains, TLS, excluded tables."""

import json
import random

from harness import environment, load
from harness.case import SystemTest, main
from harness.pki import Pki
from harness.ports import free_port
from harness.server import wait_until


def wider(version="2.0.0"):
    """The load's schema with a column and a table more."""
    schema = json.loads(json.dumps(load.SCHEMA)) | {"version": version}
    schema["tables"]["Switch"]["columns"]["extra"] = {"type": "string"}
    schema["tables"]["More"] = {"isRoot": True, "columns": {"n": {"type": "integer"}}}
    return schema


class Replication(SystemTest):
    def start(self, name, *options, schema=None, binary=None):
        if not (self.scratch.path / f"{name}.db").exists():
            self.database(f"{name}.db", schema or load.SCHEMA)
        return self.server(name, [f"{name}.db"], *options, binary=binary)

    def insert(self, server, name, **row):
        with server.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "Switch", "row": {"name": name} | row})

    def write(self, server, transactions=40):
        writer = load.Writer(server, random.Random(self.random.random()))
        wait_until(lambda: writer.failure or writer.committed >= transactions, "the load")
        writer.finish()

    def wait_state(self, server, words):
        wait_until(lambda: words in server.appctl("ovsdb-server/sync-status"), words)

    def dump(self, server):
        """What it holds; nothing while a change of its schema ends the connection."""
        try:
            return server.dump(load.DB)
        except AssertionError:
            return None

    def wait_equal(self, *servers):
        expected = servers[0].dump(load.DB)
        for server in servers[1:]:
            wait_until(lambda server=server: self.dump(server) == expected, f"{server.name} to be equal")

    def digests(self, *servers):
        return {server.appctl("tandem/position", load.DB) for server in servers}

    def test_a_backup_of_a_backup(self):
        active = self.start("active")
        middle = self.start("middle", f"--sync-from={active.socket}")
        last = self.start("last", f"--sync-from={middle.socket}")
        self.write(active)
        self.wait_equal(active, middle, last)
        self.assertEqual(len(self.digests(active, middle, last)), 1)
        middle.kill()
        self.write(active)
        middle.start()
        self.wait_equal(active, middle, last)
        # The role moves to the middle of the chain, and the last one need not be told.
        active.stop()
        middle.appctl("tandem/promote")
        self.write(middle)
        self.wait_equal(middle, last)
        self.assertEqual(len(self.digests(middle, last)), 1)

    def test_a_live_upgrade_of_the_schema(self):
        active = self.start("active")
        plain = self.start("plain", f"--sync-from={active.socket}")
        adopting = self.start("adopting", "--sync-schema", f"--sync-from={active.socket}")
        self.write(active)
        self.wait_equal(active, plain, adopting)
        (self.scratch.path / "wider.ovsschema").write_text(json.dumps(wider()))
        self.scratch.run("ovsdb-client", "convert", active.socket, "wider.ovsschema")
        self.insert(active, "late", extra="x")
        self.wait_equal(active, adopting)
        self.assertIn("replicating", adopting.appctl("ovsdb-server/sync-status"))
        # Without leave to take it over it stays a backup, readable, and says what is missing.
        self.wait_state(plain, "column Switch.extra")
        self.assertIn("table More", plain.appctl("ovsdb-server/sync-status"))
        self.assertIn("state: backup", plain.appctl("ovsdb-server/sync-status"))
        self.assertIn("Switch", str(plain.dump(load.DB)))
        # The upgrade of that backup, by hand, ends it.
        plain.stop()
        self.scratch.run("ovsdb-tool", "convert", "plain.db", "wider.ovsschema")
        plain.start()
        self.wait_equal(active, adopting, plain)
        self.write(active)
        self.wait_equal(active, adopting, plain)

    def test_a_backup_whose_schema_is_newer(self):
        active = self.start("active")
        self.write(active)
        backup = self.start("backup", f"--sync-from={active.socket}", schema=wider())
        self.wait_state(backup, "replicating")
        self.write(active)
        with active.connect() as one, backup.connect() as two:
            select = {"op": "select", "table": "Switch", "where": [], "columns": ["name", "number", "external_ids"]}
            rows = [one.transact(load.DB, select)[0]["rows"]]
            def equal():
                rows[1:] = [two.transact(load.DB, select)[0]["rows"]]
                return all(row in rows[1] for row in rows[0]) and len(rows[0]) == len(rows[1])
            wait_until(equal, "equal rows")
        # Promoted first, it is the active of a rolling upgrade; the old one adopts its schema.
        backup.appctl("tandem/promote")
        self.insert(backup, "new", extra="x")
        active.stop()
        active.options = ["--sync-schema", f"--sync-from={backup.socket}"]
        active.start()
        self.wait_equal(backup, active)

    def test_excluded_tables_keep_their_contents(self):
        active = self.start("active", schema=wider("1.0.0"))
        backup = self.start("backup", f"--sync-from={active.socket}", f"--sync-exclude-tables={load.DB}:More",
                            schema=wider("1.0.0"))
        with active.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "More", "row": {"n": 1}})
        self.write(active)
        counts = {"op": "select", "table": "More", "where": []}
        with backup.connect() as connection:
            self.wait_state(backup, "replicating")
            self.assertEqual(connection.transact(load.DB, counts)[0]["rows"], [])
        backup.appctl("ovsdb-server/set-sync-exclude-tables", "")
        self.wait_equal(active, backup)
        self.assertEqual(len(self.digests(active, backup)), 1)

    def test_over_tls(self):
        pki = Pki(self.scratch.path)
        for authority in ("ours", "other"):
            pki.authority(authority)
        for name in ("active", "backup"):
            pki.certify("ours", name)
        pki.certify("other", "stranger")
        port = free_port()
        def keys(name, authority="ours"):
            return (f"--private-key={pki.key(authority, name)}", f"--certificate={pki.certificate(authority, name)}",
                    f"--ca-cert={pki.ca('ours')}")
        active = self.start("active", f"--remote=pssl:{port}:127.0.0.1", *keys("active"))
        self.write(active)
        backup = self.start("backup", f"--sync-from=ssl:127.0.0.1:{port}", *keys("backup"))
        self.wait_equal(active, backup)
        self.write(active)
        self.wait_equal(active, backup)
        self.assertEqual(len(self.digests(active, backup)), 1)
        stranger = self.start("stranger", f"--sync-from=ssl:127.0.0.1:{port}", *keys("stranger", "other"))
        self.wait_state(stranger, "connecting")
        self.assertNotEqual(stranger.dump(load.DB), active.dump(load.DB))

    def test_a_stock_pair_becomes_a_tandem_pair_and_back_without_loss(self):
        """docs/operating.md, "Rolling replacement", step by step; every row written must be there at the end."""
        stock, ours = environment.STOCK_SERVER, environment.SERVER
        one = self.start("one", binary=stock)
        two = self.start("two", f"--sync-from={one.socket}", binary=stock)
        written = []
        def write(server):
            for _ in range(20):
                written.append(f"row{len(written)}")
                self.insert(server, written[-1])
        def replace(backup, binary, active):
            """Stops the backup and starts another server in its place, on the same file."""
            backup.stop()
            backup.binary = binary
            backup.options = [f"--sync-from={active.socket}"]
            backup.start()
            self.wait_state(backup, "replicating")
            self.wait_equal(active, backup)
        def switch(active, backup):
            """The backup becomes active; the old active waits to be replaced."""
            write(active)
            self.wait_equal(active, backup)
            active.appctl("ovsdb-server/set-active-ovsdb-server", backup.socket)
            active.appctl("ovsdb-server/connect-active-ovsdb-server")
            backup.appctl("ovsdb-server/disconnect-active-ovsdb-server")
            write(backup)
        write(one)
        replace(two, ours, one)
        switch(one, two)
        replace(one, ours, two)
        self.assertEqual(len(self.digests(one, two)), 1)
        switch(two, one)
        self.wait_equal(one, two)
        # And back.
        replace(two, stock, one)
        switch(one, two)
        replace(one, stock, two)
        write(two)
        self.wait_equal(two, one)
        with two.connect() as connection:
            rows = connection.transact(load.DB, {"op": "select", "table": "Switch", "where": []})[0]["rows"]
        self.assertEqual(sorted(row["name"] for row in rows), sorted(written))


if __name__ == "__main__":
    main()
