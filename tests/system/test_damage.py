#!/usr/bin/python3
"""Files that are damaged in the middle: no server that might be the active goes on from one, and nothing of it is lost."""

import json
import pathlib
import subprocess
import urllib.error
import urllib.request

from harness import damage, environment, load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.server import wait_until

TOOL = pathlib.Path(environment.SERVER).resolve().parent / "tandem-tool"


def row(name):
    return {"op": "insert", "table": "Switch", "row": {"name": name}}


class Damage(SystemTest):
    def path(self, name):
        return self.scratch.path / f"{name}.db"

    def start(self, name, *options):
        if not self.path(name).exists():
            self.database(f"{name}.db", load.SCHEMA)
        return self.server(name, [f"{name}.db"], *options)

    def write(self, server, name):
        """Inserts a row; the error that the server answers, or none."""
        with server.connect() as connection:
            return connection.result("transact", load.DB, row(name))[-1].get("error")

    def names(self, server):
        with server.connect() as connection:
            rows = connection.transact(load.DB, {"op": "select", "table": "Switch", "where": []})[0]["rows"]
        return sorted(found["name"] for found in rows)

    def status(self, server):
        return json.loads(server.appctl("tandem/status", "--format", "json"))

    def file_health(self, server):
        return self.status(server)["databases"][0]["health"]

    def damage(self, name, how):
        """Damages a file whose server does not run; its bytes then."""
        data = how(self.path(name).read_bytes())
        self.path(name).write_bytes(data)
        return data

    def kept(self, name, kind):
        """The bytes of the files that were set aside."""
        return [file.read_bytes() for file in sorted(self.scratch.path.glob(f"{name}.db.{kind}-*"))]

    def refused(self, server, *command):
        with self.assertRaises(AssertionError) as caught:
            server.control(*command)
        return str(caught.exception)

    def written(self, name, rows=5):
        """A server that has written rows, a record each, and was killed."""
        server = self.start(name)
        for number in range(rows):
            self.assertIsNone(self.write(server, f"{name}{number}"))
        server.kill()
        return server

    def pair(self, rows=5):
        active = self.start("active")
        backup = self.start("backup", f"--sync-from={active.socket}")
        for number in range(rows):
            self.assertIsNone(self.write(active, f"row{number}"))
        active.appctl("tandem/wait-synced")
        backup.appctl("tandem/wait-synced")
        return active, backup

    def test_what_is_left_of_a_file_replaces_no_copy(self):
        """Also not the copy of a backup that knows no positions, which takes over whatever its active has."""
        active = self.start("active")
        backup = self.start("backup", f"--sync-from={active.socket}", f"--sync-exclude-tables={load.DB}:Nothing")
        for number in range(5):
            self.assertIsNone(self.write(active, f"row{number}"))
        wait_until(lambda: len(self.names(backup)) == 5, "the backup to have all")
        active.kill()
        self.damage("active", damage.in_body(3))
        active.start()
        wait_until(lambda: "may not be followed" in backup.appctl("ovsdb-server/sync-status"), "the backup to be refused")
        self.assertEqual(self.names(active), ["row0", "row1"])
        self.assertEqual(len(self.names(backup)), 5)

    def test_a_server_alone_is_read_only_and_says_so_everywhere(self):
        server = self.written("one")
        data = self.damage("one", damage.in_body(3))
        http = free_port()
        server.options = [f"--http=127.0.0.1:{http}"]
        server.start()
        offset = damage.records(data)[3][0]
        fault = f"the file is damaged at offset {offset}, in record 3, with {len(data) - offset} bytes and 2 whole records"
        self.assertEqual(self.names(server), ["one0", "one1"])
        self.assertEqual(self.write(server, "more"), "not allowed")
        self.assertRegex(server.appctl("tandem/status", "--format", "short"), rf"^{load.DB} backup damaged 0 2\n$")
        self.assertIn(f"writable: no\nhealth: {load.DB}: {fault}", server.appctl("tandem/status"))
        self.assertEqual(self.file_health(server)["damage"],
                         {"offset": offset, "bytes": len(data) - offset, "record": 3, "whole_behind": 2})
        self.assertIn(fault, server.appctl("ovsdb-server/get-db-storage-status", load.DB))
        self.assertIn("state: backup", server.appctl("ovsdb-server/sync-status"))
        for page in ("active", "healthz"):
            with self.assertRaises(urllib.error.HTTPError) as answer:
                urllib.request.urlopen(f"http://127.0.0.1:{http}/{page}", timeout=30)
            with answer.exception as error:
                self.assertEqual(error.code, 503)
                self.assertIn(fault, error.read().decode())
        with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=30) as metrics:
            self.assertIn(f'tandem_file_damaged{{database="{load.DB}"}} 1\n', metrics.read().decode())
        (line,) = [line for line in server.log().splitlines() if "damaged" in line]
        self.assertIn("|ERR|", line)
        self.assertIn(f"one.db: {fault}", line)
        self.assertIn("tandem-tool salvage", line)
        # Nothing that would write it anew is done.
        self.assertIn(fault, self.refused(server, "tandem/promote", "--force"))
        self.assertIn("refusing to promote", self.refused(server, "ovsdb-server/disconnect-active-ovsdb-server"))
        self.assertIn(fault, self.refused(server, "ovsdb-server/compact"))
        server.stop()
        self.assertEqual(self.path("one").read_bytes(), data)
        server.start()
        self.assertEqual(self.write(server, "more"), "not allowed")

    def test_what_is_behind_the_damage_is_given_up_only_on_demand_and_kept(self):
        server = self.written("one")
        data = self.damage("one", damage.in_body(3))
        server.start()
        server.control("tandem/promote", "--damaged")
        self.assertIsNone(self.write(server, "more"))
        self.assertEqual(self.names(server), ["more", "one0", "one1"])
        self.assertNotIn("damage", self.file_health(server))
        self.assertEqual(self.kept("one", "damaged"), [data])
        server.stop()
        server.start()
        self.assertIsNone(self.write(server, "and more"))
        self.assertEqual(len(self.names(server)), 4)

    def test_a_damaged_active_does_not_pull_its_backup_back(self):
        active, backup = self.pair()
        active.kill()
        data = self.damage("active", damage.in_body(2))
        active.start()  # as whoever restarts what has died
        self.assertEqual(self.write(active, "lost"), "not allowed")
        wait_until(lambda: "may not be followed" in backup.appctl("ovsdb-server/sync-status"), "the backup to see it")
        self.assertEqual(len(self.names(backup)), 5)
        backup.control("tandem/promote")
        self.assertIsNone(self.write(backup, "new"))
        active.control("tandem/demote", backup.socket)
        active.appctl("tandem/wait-synced")
        wait_until(lambda: "damage" not in self.file_health(active), "the end of the damage")
        self.assertEqual(self.names(active), self.names(backup))
        self.assertEqual(self.kept("active", "damaged"), [data])
        self.assertEqual(len([line for line in active.log().splitlines() if "is whole again" in line]), 1)
        active.control("tandem/promote")
        self.assertIsNone(self.write(active, "newer"))

    def test_a_damaged_backup_takes_its_contents_from_its_active(self):
        active, backup = self.pair()
        for name, how in damage.IN_THE_MIDDLE.items():
            with self.subTest(damaged=name):
                backup.kill()
                data = self.damage("backup", how)
                before = self.kept("backup", "damaged")
                self.assertIsNone(self.write(active, f"beside {name}"))
                backup.start()
                wait_until(lambda: "damage" not in self.file_health(backup), "the end of the damage")
                backup.appctl("tandem/wait-synced")
                self.assertEqual(backup.appctl("tandem/position"), active.appctl("tandem/position"))
                self.assertEqual(self.names(backup), self.names(active))
                self.assertEqual(sorted(self.kept("backup", "damaged")), sorted([*before, data]))
                self.assertEqual(self.kept("backup", "diverged"), [])
        backup.stop()
        self.assertIn(": good: ", self.scratch.run(TOOL, "check", "backup.db"))

    def test_an_active_is_none_after_each_kind_of_damage_in_the_middle(self):
        for number, (name, how) in enumerate(damage.IN_THE_MIDDLE.items()):
            with self.subTest(damaged=name):
                server = self.written(f"n{number}")
                data = self.damage(server.name, how)
                server.start()
                self.assertEqual(self.write(server, "more"), "not allowed")
                self.assertIn("refusing to promote", self.refused(server, "tandem/promote", "--force"))
                server.stop()
                self.assertEqual(self.path(server.name).read_bytes(), data)

    def test_what_a_crash_leaves_at_the_end_is_cut_off_as_ever(self):
        for number, (name, how) in enumerate(damage.AT_THE_END.items()):
            with self.subTest(damaged=name):
                server = self.written(f"n{number}")
                data = self.damage(server.name, how)
                server.start()
                self.assertIsNone(self.write(server, "more"))
                self.assertEqual(len(self.names(server)), 5)
                (kept,) = self.kept(server.name, "torn")
                self.assertEqual(kept, data[-len(kept):])
                self.assertRegex(server.log(), rf"\|WARN\|[^\n]*{server.name}.db: ")
                server.stop()

    def test_without_a_schema_nothing_starts_and_nothing_is_touched(self):
        server = self.written("one")
        whole = self.path("one").read_bytes()
        for name, how in damage.OF_THE_SCHEMA.items():
            with self.subTest(damaged=name):
                self.path("one").write_bytes(whole)
                data = self.damage("one", how)
                with self.assertRaisesRegex(AssertionError, "exited with 1"):
                    server.start()
                self.assertEqual(self.path("one").read_bytes(), data)
                done = subprocess.run([TOOL, "check", self.path("one")], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 2)
                self.assertIn("5 behind it", done.stdout)

    def test_what_is_salvaged_can_be_served(self):
        server = self.written("one")
        data = self.damage("one", damage.in_body(3))
        done = subprocess.run([TOOL, "check", "one.db"], capture_output=True, text=True, check=False,
                              cwd=self.scratch.path)
        begin, _, end = damage.records(data)[3]
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"one.db: damaged at offset {begin} to {end}, line 7, record 3 (", done.stdout)
        self.assertIn("one.db: 3 whole records before the damage, 2 behind it\n", done.stdout)
        said = self.scratch.run(TOOL, "salvage", "one.db", "new.db")
        self.assertIn(f"lost: offset {begin} to {end}, line 7, record 3", said)
        self.assertIn("4 rows, 2 records as they were, 2 applied behind what is lost, 0 not applied", said)
        self.assertEqual(self.path("one").read_bytes(), data)
        self.path("new").replace(self.path("one"))
        server.start()
        self.assertIsNone(self.write(server, "more"))
        self.assertEqual(self.names(server), ["more", "one0", "one1", "one3", "one4"])

    def test_a_damaged_database_is_not_added_to_an_active_server(self):
        self.written("one").stop()
        data = self.damage("one", damage.in_body(3))
        other = self.scratch.run("ovsdb-tool", "db-name", self.database("other.db", load.SCHEMA | {"name": "Other"}))
        server = self.server("other", ["other.db"])
        self.assertIn("only a backup", self.refused(server, "ovsdb-server/add-db", str(self.path("one"))))
        self.assertEqual(server.appctl("ovsdb-server/list-dbs").split(), sorted([other.strip(), "_Server"]))
        self.assertEqual(self.path("one").read_bytes(), data)


if __name__ == "__main__":
    main()
