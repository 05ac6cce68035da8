#!/usr/bin/python3
"""Active-backup as programs written for ovsdb-server expect it: one test a row of the compatibility surface, section 13."""

import json
import time

from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.proxy import Proxy, messages
from harness.server import wait_until

DB = "mydb"
COLUMNS = {"columns": {"number": {"type": "integer"}, "name": {"type": "string"}}, "isRoot": True}
SCHEMA = {"name": DB, "version": "1.0.0", "tables": {"a": COLUMNS, "b": COLUMNS}}


def insert(table, number, name=""):
    return {"op": "insert", "table": table, "row": {"number": number, "name": name}}


class Replication(SystemTest):
    def start(self, name, *options, schema=None):
        if not (self.scratch.path / f"{name}.db").exists():
            self.database(f"{name}.db", schema or SCHEMA)
        return self.server(name, [f"{name}.db"], *options)

    def backup(self, active, *options, name="backup", schema=None):
        server = self.start(name, f"--sync-from={active.socket}", *options, schema=schema)
        self.wait_replicating(server)
        return server

    def write(self, server, table, number):
        with server.connect() as connection:
            return connection.result("transact", DB, insert(table, number))

    def numbers(self, server, table="a"):
        with server.connect() as connection:
            rows = connection.transact(DB, {"op": "select", "table": table, "where": []})[0]["rows"]
        return sorted(row["number"] for row in rows)

    def sync_status(self, server):
        return server.appctl("ovsdb-server/sync-status")

    def wait_replicating(self, server):
        wait_until(lambda: "replicating" in self.sync_status(server), "replication")

    def wait_numbers(self, server, numbers, table="a"):
        wait_until(lambda: self.numbers(server, table) == numbers, f"{table} to be {numbers}")

    def records(self, file):
        return (self.scratch.path / file).read_text().count("OVSDB JSON ") - 1

    def no_complaints(self, server):
        self.assertEqual([line for line in server.log().splitlines()
                          if any(level in line for level in ("|WARN|", "|ERR|", "|EMER|"))], [])

    def test_sync_from(self):
        """`--sync-from=R`: own data replaced by R's, then each commit; written to the own file."""
        active = self.start("active")
        self.write(active, "a", 1)
        old = self.start("backup")
        self.write(old, "a", 100)
        old.stop()
        backup = self.backup(active)
        self.wait_numbers(backup, [1])
        before = self.records("backup.db")
        for number in (2, 3):
            self.write(active, "a", number)
        self.wait_numbers(backup, [1, 2, 3])
        self.assertEqual(self.records("backup.db"), before + 2)
        self.no_complaints(active)
        backup.stop()
        self.assertEqual(self.numbers(self.start("backup")), [1, 2, 3])

    def test_sync_from_with_active(self):
        """`--sync-from=R --active`: active; R remembered for connect-active-ovsdb-server."""
        active = self.start("active")
        self.write(active, "a", 1)
        second = self.start("second", f"--sync-from={active.socket}", "--active")
        self.assertEqual(self.sync_status(second), f"database: {DB}\nstate: active\n")
        self.assertEqual(second.appctl("ovsdb-server/get-active-ovsdb-server"), f"{active.socket}\n")
        self.assertEqual(self.write(second, "a", 9)[0].keys(), {"uuid"})
        second.appctl("ovsdb-server/connect-active-ovsdb-server")
        self.wait_replicating(second)
        self.wait_numbers(second, [1])

    def test_sync_exclude_tables(self):
        """`--sync-exclude-tables=mydb:b`: b keeps the backup's own contents; others follow."""
        active = self.start("active")
        for table in "ab":
            self.write(active, table, 1)
        own = self.start("backup")
        self.write(own, "b", 77)
        own.stop()
        backup = self.backup(active, f"--sync-exclude-tables={DB}:b")
        self.assertIn(f"exclude: {DB}:b\n", self.sync_status(backup))
        self.assertEqual(backup.appctl("ovsdb-server/get-sync-exclude-tables").strip(), f"{DB}:b")
        for table in "ab":
            self.write(active, table, 2)
        self.wait_numbers(backup, [1, 2])
        self.assertEqual(self.numbers(backup, "b"), [77])

    def test_excluded_tables_of_the_configuration_file(self):
        """The same in the configuration file."""
        active = self.start("active")
        for table in "ab":
            self.write(active, table, 1)
        self.database("backup.db", SCHEMA)
        (self.scratch.path / "config.json").write_text(json.dumps({
            "remotes": {"punix:configured.sock": None},
            "databases": {f"{self.scratch.path}/backup.db": {
                "service-model": "active-backup", "backup": True, "exclude-tables": ["b"],
                "source": {active.socket: None}}}}))
        backup = self.configured_server("configured", f"{self.scratch.path}/config.json")
        self.wait_replicating(backup)
        self.wait_numbers(backup, [1])
        self.assertEqual(self.numbers(backup, "b"), [])
        self.assertEqual(self.sync_status(backup), f"database: {DB}\nstate: backup\nreplicating: {active.socket}\n"
                         f"exclude: {DB}:b\n")

    def test_reading_from_a_backup(self):
        """select, monitor, dump work at any time."""
        active = self.start("active")
        self.write(active, "a", 1)
        backup = self.backup(active)
        self.assertEqual(self.numbers(backup), [1])
        self.assertEqual(backup.dump(DB), active.dump(DB))
        with backup.connect() as connection:
            initial = connection.result("monitor", DB, None, {"a": {"columns": ["number"]}})
            self.assertEqual([row["new"]["number"] for row in initial["a"].values()], [1])
            self.write(active, "a", 2)
            update = connection.receive()
            self.assertEqual([row["new"]["number"] for row in update["params"][1]["a"].values()], [2])
        active.kill()
        self.assertEqual(self.numbers(backup), [1, 2])

    def test_writing_to_a_backup(self):
        """`not allowed`, as the operation's result."""
        active = self.start("active")
        backup = self.backup(active)
        (outcome,) = self.write(backup, "a", 1)
        self.assertEqual(outcome["error"], "not allowed")
        self.assertEqual(self.numbers(active), [])

    def test_connect_and_disconnect(self):
        """They switch the role; clients are disconnected; after a disconnect data stay and writing works at once."""
        active = self.start("active")
        self.write(active, "a", 1)
        backup = self.backup(active)
        with backup.connect() as client:
            client.result("echo")
            self.assertEqual(backup.appctl("ovsdb-server/disconnect-active-ovsdb-server"), "")
            with self.assertRaises(Closed):
                client.receive(timeout=5)
        self.assertEqual(self.sync_status(backup), f"database: {DB}\nstate: active\n")
        self.assertEqual(self.numbers(backup), [1])
        self.assertIn("uuid", self.write(backup, "a", 2)[0])
        with backup.connect() as client:
            client.result("echo")
            self.assertEqual(backup.appctl("ovsdb-server/connect-active-ovsdb-server"), "")
            with self.assertRaises(Closed):
                client.receive(timeout=5)
        self.wait_replicating(backup)
        self.wait_numbers(backup, [1])

    def test_sync_status_without_an_active_server(self):
        """A server without any active server configured prints `state: active` alone."""
        server = self.start("active")
        self.assertEqual(self.sync_status(server), "state: active\n")
        self.assertEqual(server.appctl("ovsdb-server/connect-active-ovsdb-server"),
                         "Unable to connect: active server is not specified.\n")
        self.assertEqual(self.sync_status(server), "state: active\n")

    def test_sync_status_of_a_backup(self):
        """`database:`, `state: backup`, then `replicating:` or `connecting:`."""
        active = self.start("active")
        backup = self.backup(active)
        self.assertEqual(self.sync_status(backup), f"database: {DB}\nstate: backup\nreplicating: {active.socket}\n")
        active.stop()
        wait_until(lambda: self.sync_status(backup)
                   == f"database: {DB}\nstate: backup\nconnecting: {active.socket}\n", "connecting")

    def test_two_backups_of_each_other(self):
        """Both reach `replicating`, nothing is lost, neither crashes."""
        first = self.start("first")
        for number in range(20):
            self.write(first, "a", number)
        second = self.backup(first, name="second")
        first.appctl("ovsdb-server/set-active-ovsdb-server", second.socket)
        first.appctl("ovsdb-server/connect-active-ovsdb-server")
        self.keep_what_they_have(first, second)

    def test_two_backups_of_each_other_from_the_start(self):
        """The same when both start as backups, and only one has anything, or both have something else."""
        for other_numbers in ([], [100], list(range(100, 120))):
            with self.subTest(len(other_numbers)):
                names = [f"{name}-{len(other_numbers)}" for name in ("first", "second")]
                for name, numbers in zip(names, (range(20), other_numbers)):
                    server = self.start(name)
                    for number in numbers:
                        self.write(server, "a", number)
                    server.stop()
                pair = [self.start(name, f"--sync-from=unix:{self.scratch.path}/{other}.sock")
                        for name, other in (names, names[::-1])]
                self.keep_what_they_have(*pair, either=[list(range(20)), other_numbers][:1 + len(other_numbers) // 20])

    def keep_what_they_have(self, first, second, either=(list(range(20)),)):
        for server in (first, second):
            self.wait_replicating(server)
        wait_until(lambda: self.numbers(first) == self.numbers(second), "equal contents")
        kept = self.numbers(first)
        self.assertIn(kept, either)
        sizes = [self.records(f"{server.name}.db") for server in (first, second)]
        time.sleep(0.5)
        for server, size in zip((first, second), sizes):
            self.wait_replicating(server)
            self.assertEqual(self.numbers(server), kept)
            self.assertEqual(self.records(f"{server.name}.db"), size)

    def test_a_server_that_is_to_follow_itself(self):
        """The log has `Self replicating is not allowed` when connect returns; the data are unharmed.

        The role is `backup` all the same: who is told to follow must not take writes (docs/differences.md).
        """
        server = self.start("active")
        self.write(server, "a", 1)
        server.appctl("ovsdb-server/set-active-ovsdb-server", server.socket)
        server.appctl("ovsdb-server/connect-active-ovsdb-server")
        self.assertIn("Self replicating is not allowed", server.log())
        self.assertEqual(self.numbers(server), [1])
        self.assertIn("state: backup", self.sync_status(server))
        self.assertEqual(self.write(server, "a", 2)[0]["error"], "not allowed")
        server.appctl("ovsdb-server/disconnect-active-ovsdb-server")
        self.assertIn("uuid", self.write(server, "a", 2)[0])

    def connect_again(self, server, times=3):
        for _ in range(times):
            server.appctl("ovsdb-server/connect-active-ovsdb-server")
            time.sleep(0.2)

    def test_the_active_has_more_columns(self):
        """One line that schemas are compared and one of the finding, however often it connects."""
        for version in ({"version": "2.0.0"}, {}):
            with self.subTest(version):
                schema = {"name": DB, "tables": {"a": COLUMNS, "b": COLUMNS}} | version
                more = json.loads(json.dumps(schema))
                more["tables"]["a"]["columns"]["extra"] = {"type": "string"}
                active = self.start(f"active{len(version)}", schema=more)
                self.write(active, "a", 1)
                backup = self.start(f"backup{len(version)}", f"--sync-from={active.socket}", "--active",
                                    schema=SCHEMA if version else schema)
                self.connect_again(backup)
                wait_until(lambda: f"{DB} cannot be replicated" in backup.log(), "the finding")
                self.connect_again(backup)
                self.assertEqual(backup.log().count(
                    f"Schema version mismatch, checking if {DB} can still be replicated or not"), 1)
                self.assertEqual(backup.log().count(f"{DB} cannot be replicated"), 1)
                self.assertIn("column a.extra", self.sync_status(backup))
                self.assertNotIn("replicating", self.sync_status(backup))
                self.assertEqual(self.numbers(backup), [])

    def test_the_backup_has_more_columns(self):
        """`mydb can be replicated`: the backup's tables and columns are a superset."""
        more = json.loads(json.dumps(SCHEMA)) | {"version": "2.0.0"}
        more["tables"]["a"]["columns"]["extra"] = {"type": "string"}
        more["tables"]["c"] = COLUMNS
        active = self.start("active")
        self.write(active, "a", 1)
        backup = self.backup(active, schema=more)
        self.wait_numbers(backup, [1])
        self.connect_again(backup)
        self.wait_replicating(backup)
        self.assertEqual(backup.log().count(
            f"Schema version mismatch, checking if {DB} can still be replicated or not"), 1)
        self.assertEqual(backup.log().count(f"{DB} can be replicated"), 1)
        self.write(active, "a", 2)
        self.wait_numbers(backup, [1, 2])

    def test_schemas_that_differ_under_one_version(self):
        """`Schemas differ`: whatever their versions say."""
        more = json.loads(json.dumps(SCHEMA))
        more["tables"]["c"] = COLUMNS
        active = self.start("active", schema=more)
        backup = self.start("backup", f"--sync-from={active.socket}")
        wait_until(lambda: f"{DB} cannot be replicated" in backup.log(), "the finding")
        self.assertEqual(backup.log().count("Schema version mismatch"), 1)

    def test_records_of_its_own_are_no_reason_for_a_warning(self):
        active = self.start("active")
        backup = self.backup(active)
        backup.appctl("ovsdb-server/disconnect-active-ovsdb-server")
        self.write(backup, "a", 9)
        self.write(active, "a", 1)
        self.connect_again(backup)
        self.wait_numbers(backup, [1])
        self.assertIn("they were saved to", backup.log())
        self.no_complaints(backup)

    def test_locks_are_not_to_be_had_from_a_backup(self):
        """ovsdb-server(1), Active-Backup: lock commands are rejected."""
        active = self.start("active")
        backup = self.backup(active)
        with backup.connect() as client, active.connect() as other:
            for method in ("lock", "steal", "unlock"):
                self.assertEqual(client.call(method, "l")["error"],
                                 "lock and unlock methods not allowed, DB server is read only.")
            self.assertEqual(other.result("lock", "l"), {"locked": True})

    def test_nobody_to_follow(self):
        """`--sync-from=` of a script whose variable is empty."""
        server = self.start("lonely", "--sync-from=")
        self.assertEqual(self.write(server, "a", 1)[0].get("error"), "not allowed")
        self.assertEqual(self.sync_status(server), f"database: {DB}\nstate: backup\nconnecting: \n")
        server.appctl("ovsdb-server/disconnect-active-ovsdb-server")
        self.assertEqual(self.sync_status(server), "state: active\n")
        self.assertIn("uuid", self.write(server, "a", 1)[0])

    def test_an_active_that_is_not_there(self):
        """No WARN or ERR; retry with backoff."""
        for source in (f"unix:{self.scratch.path}/nowhere.sock", "tcp:127.0.0.1:1"):
            with self.subTest(source):
                backup = self.start(f"backup-{source[:3]}", f"--sync-from={source}")
                time.sleep(1.2)
                self.assertIn(f"connecting: {source}\n", self.sync_status(backup))
                backup.stop()
                self.no_complaints(backup)
                attempts = backup.log().count("connecting...")
                self.assertLess(attempts, 20)

    def test_the_requests_of_a_backup(self):
        """get_server_id, list_dbs, get_schema, monitor [DB, DB, {TABLE: [{}]}] without excluded tables; UUIDs stay,
        comments do not travel by this form."""
        active = self.start("active")
        with active.connect() as connection:
            uuid = connection.transact(DB, insert("a", 1), {"op": "comment", "comment": "secret words"})[0]["uuid"]
        proxy = Proxy(active.socket)
        self.addCleanup(proxy.close)
        backup = self.start("backup", f"--sync-from={proxy.address}", f"--sync-exclude-tables={DB}:b")
        self.wait_replicating(backup)
        requests = [m for m in messages(proxy.to_server) if m.get("method") not in ("echo", None)]
        self.assertEqual([m["method"] for m in requests], ["get_server_id", "list_dbs", "get_schema", "monitor"])
        self.assertEqual(requests[2]["params"], [DB])
        self.assertEqual(requests[3]["params"], [DB, DB, {"a": [{}]}])
        self.write(active, "a", 2)
        self.wait_numbers(backup, [1, 2])
        with backup.connect() as connection:
            rows = connection.transact(DB, {"op": "select", "table": "a", "where": [["number", "==", 1]]})[0]["rows"]
        self.assertEqual(rows[0]["_uuid"], uuid)
        self.assertNotIn("secret words", (self.scratch.path / "backup.db").read_text())
        self.assertIn(f"{DB}: Monitor reply received. Resetting the database.", backup.log())
        self.no_complaints(backup)
        self.no_complaints(active)

    def test_the_schema_is_in_the_configuration_of_both(self):
        """A pair that is configured by files only, whose roles are exchanged by reloads."""
        for name, other in (("one", "two"), ("two", "one")):
            self.database(f"{name}.db", SCHEMA)
            self.configure(name, other, backup=name == "two")
        one, two = (self.configured_server(name, f"{self.scratch.path}/{name}.json") for name in ("one", "two"))
        self.wait_replicating(two)
        self.assertEqual(self.sync_status(one), f"database: {DB}\nstate: active\n")
        self.write(one, "a", 1)
        self.wait_numbers(two, [1])
        for name, other in (("one", "two"), ("two", "one")):
            self.configure(name, other, backup=name == "one")
        two.control("ovsdb-server/reload")
        self.assertEqual(self.sync_status(two), f"database: {DB}\nstate: active\n")
        one.control("ovsdb-server/reload")
        self.wait_replicating(one)
        self.write(two, "a", 2)
        self.wait_numbers(one, [1, 2])

    def configure(self, name, other, backup):
        (self.scratch.path / f"{name}.json").write_text(json.dumps({
            "remotes": {f"punix:{name}.sock": None},
            "databases": {f"{self.scratch.path}/{name}.db": {
                "service-model": "active-backup", "backup": backup,
                "source": {f"unix:{self.scratch.path}/{other}.sock": {"inactivity-probe": 5000}}}}}))


if __name__ == "__main__":
    main()
