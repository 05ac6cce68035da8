"""Pairs whose backup forwards."""

import json

from . import load
from .case import SystemTest
from .relays import insert, select
from .server import wait_until

DB = load.DB
NOT_ALLOWED = {"error": "not allowed",
               "details": "insert operation not allowed when database server is in read only mode"}


class ForwardingTest(SystemTest):
    def start(self, name, *options, schema=load.SCHEMA, binary=None):
        file = f"{name}.db"
        if not (self.scratch.path / file).exists():
            self.database(file, schema)
        return self.server(name, [file], *options, binary=binary)

    def pair(self, *options, active=(), schema=load.SCHEMA):
        active = self.start("active", *active, schema=schema)
        backup = self.start("backup", f"--sync-from={active.socket}", "--forward-writes", *options, schema=schema)
        self.wait_until_it_follows(backup)
        return active, backup

    def wait_until_it_follows(self, backup):
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), f"{backup.name} to replicate")

    def write(self, server, name):
        """Inserts a row; the result of that operation."""
        with server.connect() as client:
            return client.result("transact", DB, insert(name))[0]

    def wait_until_it_writes(self, server):
        wait_until(lambda: "uuid" in self.write(server, "again"), f"a write at {server.name}", poll_s=0.02)

    def read_what_is_written(self, here, there, count):
        for number in range(count):
            here.transact(DB, insert(f"s{number}", number=number))
            rows = here.transact(DB, select(f"s{number}", ["number"]))[0]["rows"]
            self.assertEqual([row["number"] for row in rows], [number])
            self.assertEqual(rows, there.transact(DB, select(f"s{number}", ["number"]))[0]["rows"])

    def rows(self, server, name):
        with server.connect() as client:
            return client.transact(DB, select(name))[0]["rows"]

    def is_stale(self, backup):
        database, = json.loads(backup.appctl("tandem/status", "--format", "json"))["databases"]
        return database["follower"]["stale"]
